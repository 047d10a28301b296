/** A project as it is being written. */
import { exhaustive } from "@/api/records";
import type { Project } from "./api";

export type ProjectDraft = Pick<Project, "name" | "description">;

export const NEW_PROJECT: ProjectDraft = { name: "", description: "" };

export const draftOf = ({ name, description }: Project): ProjectDraft => ({ name, description });

export const inputOf = ({ name, description }: ProjectDraft) => ({ name: name.trim(), description: description.trim() });

const FIELDS = exhaustive<keyof ProjectDraft>({ name: true, description: true });

export function differences(theirs: ProjectDraft, yours: ProjectDraft) {
  return FIELDS.filter((field) => theirs[field] !== yours[field]).map((field) => ({ field, theirs: theirs[field], yours: yours[field] }));
}
