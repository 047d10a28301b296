/** A project as it is being written. */
import { exhaustive, recordOf } from "@/api/records";
import { BUDGETS, type Limits, limitsInput, limitsOf, modelsOf, NO_LIMITS, RATES } from "@/features/keys/draft";
import { differencesOf } from "@/shared/draft";
import type { Project } from "./api";

/** Models, channels and limits are those that keys of its members may have at most. */
export interface ProjectDraft extends Pick<Project, "name" | "description">, Limits {
  models: string;
  channels: string[];
}

export const NEW_PROJECT: ProjectDraft = { name: "", description: "", models: "", channels: [], ...NO_LIMITS };

export const draftOf = ({ name, description, memberBounds }: Project): ProjectDraft => ({
  name,
  description,
  models: memberBounds.models.join("\n"),
  channels: [...memberBounds.channels],
  ...limitsOf(memberBounds),
});

export const inputOf = (draft: ProjectDraft) => ({
  name: draft.name.trim(),
  description: draft.description.trim(),
  memberBounds: { models: modelsOf(draft.models), channels: draft.channels, ...limitsInput(draft) },
});

export const isLimit = (field: keyof ProjectDraft): field is keyof Limits => field in NO_LIMITS;

const FIELDS = exhaustive<keyof ProjectDraft>({
  name: true,
  description: true,
  models: true,
  channels: true,
  ...recordOf([...RATES, ...BUDGETS], () => true as const),
});

export const differences = (theirs: ProjectDraft, yours: ProjectDraft) => differencesOf(FIELDS, theirs, yours);
