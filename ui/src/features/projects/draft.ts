/** A project as it is being written. */
import type { Project } from "./api";

export interface ProjectDraft {
  name: string;
  description: string;
}

export const NEW_PROJECT: ProjectDraft = { name: "", description: "" };

export const draftOf = ({ name, description }: Project): ProjectDraft => ({ name, description });

export const inputOf = ({ name, description }: ProjectDraft) => ({ name: name.trim(), description: description.trim() });

const FIELDS = ["name", "description"] as const;

export function differences(theirs: ProjectDraft, yours: ProjectDraft) {
  return FIELDS.filter((field) => theirs[field] !== yours[field]).map((field) => ({ field, theirs: theirs[field], yours: yours[field] }));
}
