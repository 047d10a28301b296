/** A failure as the page tells it: every one has a code, and what can be done about it. */

export interface FieldProblem {
  field: string;
  message: string;
}

export class ApiError extends Error {
  readonly code: string;
  readonly fields: readonly FieldProblem[];
  readonly revision: number | undefined;
  readonly retryAfter: number | undefined;
  readonly requestID: string | undefined;

  constructor(code: string, message: string, extensions: Record<string, unknown> = {}) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.revision = extensions["revision"] as number | undefined;
    this.retryAfter = extensions["retryAfter"] as number | undefined;
    this.requestID = extensions["requestID"] as string | undefined;
    this.fields = fieldsOf(code, message, extensions);
  }
}

/** INVALID tells its fields; a name that is taken comes as a CONFLICT with one field. */
function fieldsOf(code: string, message: string, extensions: Record<string, unknown>): FieldProblem[] {
  const listed = extensions["fields"];
  if (Array.isArray(listed)) return listed as FieldProblem[];
  const field = extensions["field"];
  return typeof field === "string" && code !== "NOT_FOUND" ? [{ field, message }] : [];
}

export function isUnauthenticated(error: unknown): boolean {
  return error instanceof ApiError && error.code === "UNAUTHENTICATED";
}

export function isConflict(error: unknown): error is ApiError {
  return error instanceof ApiError && error.code === "CONFLICT" && error.revision !== undefined;
}
