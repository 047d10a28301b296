/** Which field of a form a failure is about. */
import { ApiError } from "@/api/errors";

export function problemOf(error: unknown, field: string): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  return error.fields.find((each) => each.field === field || each.field === `input.${field}`)?.message;
}
