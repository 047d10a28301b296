/** A file that grows: on disk where the browser writes there, else a download when it is whole. */
import type { Kind, Sink } from "./exported";

interface Writable {
  write: (text: string) => Promise<void>;
  close: () => Promise<void>;
  abort: () => Promise<void>;
}

interface Picking {
  showSaveFilePicker?: (options: object) => Promise<{ createWritable: () => Promise<Writable> }>;
}

const TYPES: Record<Kind, string> = { csv: "text/csv", json: "application/json" };
const KEPT_FOR = 60_000;

/** Asks where the file goes, if the browser can. Rejects with `AbortError` when nobody wants it. */
export async function sinkOf(kind: Kind, name: string): Promise<Sink> {
  const { showSaveFilePicker } = window as Picking;
  if (showSaveFilePicker === undefined) return downloaded(kind, name);
  const types = [{ accept: { [TYPES[kind]]: [`.${kind}`] } }];
  const file = await showSaveFilePicker.call(window, { suggestedName: name, types });
  return file.createWritable();
}

function downloaded(kind: Kind, name: string): Sink {
  // Parts become blobs at once: browsers keep those outside the page's memory.
  let parts: Blob[] = [];
  return {
    write: async (text) => {
      parts.push(new Blob([text]));
    },
    close: async () => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob(parts, { type: TYPES[kind] }));
      link.download = name;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), KEPT_FOR);
    },
    abort: async () => {
      parts = [];
    },
  };
}
