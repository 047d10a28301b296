/** People as they are being written, and who may change whom. */
import { exhaustive } from "@/api/records";
import { differencesOf } from "@/shared/draft";
import type { User, UserInput } from "./api";

export type Role = User["role"];
export type Status = User["status"];
const ROLES = exhaustive<Role>({ MEMBER: true, VIEWER: true, ADMIN: true, OWNER: true });
export const STATUSES = exhaustive<Status>({ ACTIVE: true, DISABLED: true });

export interface UserDraft extends Pick<User, "email" | "name" | "role" | "status"> {
  password: string;
}

export const NEW_USER: UserDraft = { email: "", name: "", role: "VIEWER", status: "ACTIVE", password: "" };
export const SECRETS: readonly (keyof UserDraft)[] = ["password"];

export function draftOf({ email, name, role, status }: User): UserDraft {
  return { email, name, role, status, password: "" };
}

export function inputOf({ email, name, role, status }: UserDraft): UserInput {
  return { email: email.trim(), name: name.trim(), role, status };
}

/** The roles that somebody may give: owners are made by owners. */
export function rolesOf(mayOwners: boolean): Role[] {
  return ROLES.filter((role) => mayOwners || role !== "OWNER");
}

/** Whether somebody of these permissions may change a user: owners are changed by owners. */
export function mayChange(user: { role: Role }, permissions: readonly string[]): boolean {
  return permissions.includes(user.role === "OWNER" ? "owners:write" : "users:write");
}

const LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const LENGTH = 20;

/** A password of letters that are not mistaken for each other: some 115 bits. */
export function newPassword(): string {
  const least = 256 - (256 % LETTERS.length);
  let made = "";
  while (made.length < LENGTH) {
    for (const byte of crypto.getRandomValues(new Uint8Array(LENGTH))) {
      // A byte past the last whole round would make some letters likelier.
      if (byte < least && made.length < LENGTH) made += LETTERS[byte % LETTERS.length] ?? "";
    }
  }
  return made;
}

type Field = Exclude<keyof UserDraft, "password">;
const FIELDS = exhaustive<Field>({ email: true, name: true, role: true, status: true });

/** What differs, of texts as the page shows them. */
export const differences = (theirs: Record<Field, string>, yours: Record<Field, string>) => differencesOf(FIELDS, theirs, yours);
