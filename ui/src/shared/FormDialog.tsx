/** The dialog that makes a thing or changes it: what was typed, saving, and who was faster. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { useTranslation } from "react-i18next";
import { isConflict } from "@/api/errors";
import { Button } from "./Button";
import { Conflict } from "./Conflict";
import { Dialog } from "./Dialog";
import { useDraft } from "./draft";
import { problemOf } from "./problems";
import { Failure } from "./states";

export interface Difference {
  field: string;
  theirs: string;
  yours: string;
}

/** A thing that is there already, and how to change it. */
interface Changed<T, D> {
  thing: T;
  draftOf: (thing: T) => D;
  update: (id: string, revision: number, draft: D) => Promise<T>;
  /** Reads it again, when somebody was faster. */
  fetch: (id: string) => Promise<T>;
  differences: (theirs: D, yours: D) => Difference[];
}

export interface Fields<D> {
  value: D;
  change: (part: Partial<D>) => void;
  problem: (field: string) => string | undefined;
}

interface FormProps<T, D, M> {
  title: string;
  /** Under which what is typed outlives a reload; `secrets` do not. */
  name: string;
  secrets?: readonly (keyof D)[];
  blank: D;
  create: (draft: D) => Promise<M>;
  /** What the button says that makes a new one. */
  act: string;
  changed?: Changed<T, D> | undefined;
  mayWrite?: boolean;
  /** The first parts of the keys of queries that a change makes old. */
  touches: readonly string[];
  onCreated: (made: M) => void;
  onChanged?: (made: T) => void;
  onClose: () => void;
  children: (fields: Fields<D>) => ReactNode;
  /** What stands below the form. */
  below?: ReactNode;
}

export function FormDialog<T extends { id: string; revision: number }, D extends object, M>(props: FormProps<T, D, M>) {
  const { title, act, changed, mayWrite = true, onClose, children, below } = props;
  const { t } = useTranslation();
  const { draft, saving, seen, theirs, setTheirs, take } = useForm(props);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    saving.mutate(seen);
  };
  return (
    <Dialog title={title} place="side" onClose={onClose}>
      <form onSubmit={submit} className="space-y-5">
        {draft.isRestored && draft.isChanged && <p className="text-[13px] text-soft">{t("restored")}</p>}
        <fieldset disabled={!mayWrite} className="space-y-5">
          {children({ value: draft.value, change: draft.change, problem: (field) => problemOf(saving.error, field) })}
        </fieldset>
        {saving.isError && !isConflict(saving.error) && <Failure error={saving.error} />}
        {mayWrite && (
          <div className="flex flex-wrap gap-2">
            <Button type="submit" look="main" isBusy={saving.isPending} disabled={changed !== undefined && !draft.isChanged}>
              {changed === undefined ? act : t("save")}
            </Button>
            {draft.isChanged && (
              <Button look="quiet" onClick={() => draft.discard()}>
                {t("discard")}
              </Button>
            )}
          </div>
        )}
      </form>
      {below}
      {theirs !== undefined && changed !== undefined && (
        <Conflict
          differences={changed.differences(changed.draftOf(theirs), draft.value)}
          isBusy={saving.isPending}
          onKeep={() => saving.mutate(theirs.revision)}
          onTake={() => take(theirs)}
          onBack={() => setTheirs(undefined)}
        />
      )}
    </Dialog>
  );
}

function useForm<T extends { id: string; revision: number }, D extends object, M>(props: FormProps<T, D, M>) {
  const { name, secrets, blank, create, changed, touches, onCreated, onChanged } = props;
  const queries = useQueryClient();
  const initial = changed === undefined ? blank : changed.draftOf(changed.thing);
  const draft = useDraft(`${name}-${changed?.thing.id ?? "new"}`, initial, secrets);
  const [seen, setSeen] = useState(changed?.thing.revision ?? 0);
  const [theirs, setTheirs] = useState<T>();
  const renew = () => touches.forEach((key) => void queries.invalidateQueries({ queryKey: [key] }));
  /** The form is about what holds now. */
  const take = (made: T) => {
    draft.discard(changed?.draftOf(made));
    setSeen(made.revision);
    setTheirs(undefined);
    renew();
  };
  const saving = useMutation({
    mutationFn: async (revision: number): Promise<() => void> => {
      if (changed !== undefined) {
        const made = await changed.update(changed.thing.id, revision, draft.value);
        return () => {
          take(made);
          onChanged?.(made);
        };
      }
      const made = await create(draft.value);
      return () => {
        draft.discard(blank);
        renew();
        onCreated(made);
      };
    },
    meta: { isTold: true },
    onSuccess: (finish) => finish(),
    onError: async (error) => {
      if (isConflict(error) && changed !== undefined) setTheirs(await changed.fetch(changed.thing.id));
    },
  });
  return { draft, saving, seen, theirs, setTheirs, take };
}
