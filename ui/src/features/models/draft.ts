/** A model as it is being written: numbers are texts until they are sent. */
import { exhaustive } from "@/api/records";
import { differencesOf } from "@/shared/draft";
import type { Model, ModelInput, Target } from "./api";

export interface TargetDraft {
  /** `channel:ID` or `tag:NAME`. */
  place: string;
  model: string;
  weight: string;
  order: string;
  apis: string[];
  streams: string;
  hasTools: string;
  minTokens: string;
  maxTokens: string;
  keys: string[];
  projects: string[];
}

export interface ModelDraft {
  name: string;
  description: string;
  isEnabled: boolean;
  projects: string[];
  targets: TargetDraft[];
  fallbacks: string[];
}

export const NEW_TARGET: TargetDraft = {
  place: "",
  model: "",
  weight: "1",
  order: "0",
  apis: [],
  streams: "",
  hasTools: "",
  minTokens: "",
  maxTokens: "",
  keys: [],
  projects: [],
};

export const NEW_MODEL: ModelDraft = {
  name: "",
  description: "",
  isEnabled: true,
  projects: [],
  targets: [NEW_TARGET],
  fallbacks: [],
};

const textOf = (value: number | boolean | null) => (value === null ? "" : String(value));

/** A channel may be named; where exactly one is meant, its id is what the list of channels has. */
function placeOf({ channel, tag, servedBy }: Target): string {
  return tag === "" ? `channel:${servedBy[0]?.id ?? channel}` : `tag:${tag}`;
}

export function draftOf(model: Model): ModelDraft {
  const { name, description, isEnabled, projects, fallbacks } = model;
  const targets = model.targets.map((target) => {
    const { condition } = target;
    return {
      place: placeOf(target),
      model: target.model,
      weight: String(target.weight),
      order: String(target.order),
      apis: condition.apis,
      streams: textOf(condition.streams),
      hasTools: textOf(condition.hasTools),
      minTokens: textOf(condition.minTokens),
      maxTokens: textOf(condition.maxTokens),
      keys: condition.keys,
      projects: condition.projects,
    };
  });
  return { name, description, isEnabled, projects, targets, fallbacks };
}

const numberOf = (text: string) => (text === "" ? null : Number(text));
const flagOf = (text: string) => (text === "" ? null : text === "true");

/** Of a place: whether it is a channel or a tag, and which. */
export function partsOf(place: string): [kind: string, name: string] {
  const at = place.indexOf(":");
  return [place.slice(0, at), place.slice(at + 1)];
}

function targetOf(draft: TargetDraft) {
  const [kind, name] = partsOf(draft.place);
  return {
    channel: kind === "channel" ? name : "",
    tag: kind === "tag" ? name : "",
    model: draft.model,
    weight: Number(draft.weight === "" ? 1 : draft.weight),
    order: Number(draft.order === "" ? 0 : draft.order),
    condition: {
      apis: draft.apis,
      streams: flagOf(draft.streams),
      hasTools: flagOf(draft.hasTools),
      minTokens: numberOf(draft.minTokens),
      maxTokens: numberOf(draft.maxTokens),
      keys: draft.keys,
      projects: draft.projects,
    },
  };
}

export function inputOf(draft: ModelDraft): ModelInput {
  return {
    name: draft.name.trim(),
    description: draft.description.trim(),
    isEnabled: draft.isEnabled,
    projects: draft.projects,
    targets: draft.targets.map(targetOf),
    fallbacks: draft.fallbacks.filter((each) => each !== ""),
  };
}

const FIELDS = exhaustive<keyof ModelDraft>({
  name: true,
  description: true,
  isEnabled: true,
  projects: true,
  targets: true,
  fallbacks: true,
});

const shownOf = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

export const differences = (theirs: ModelDraft, yours: ModelDraft) => differencesOf(FIELDS, theirs, yours, shownOf);

/** The same list with one entry moved by a step; as it is at its ends. */
export function moved<T>(list: readonly T[], from: number, by: -1 | 1): T[] {
  const to = from + by;
  const [one, other] = [list[from], list[to]];
  if (one === undefined || other === undefined) return [...list];
  return list.map((each, at) => (at === from ? other : at === to ? one : each));
}
