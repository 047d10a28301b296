/** The one tool that the page may offer: it tells the time, so that a turn with its result can be seen to continue. */
export interface ToolCall {
  id: string;
  name: string;
  /** JSON, as the model wrote it. */
  arguments: string;
}

export interface Result {
  id: string;
  /** Of the tool that was called. */
  name: string;
  output: string;
}

export const TOOL = {
  name: "current_time",
  description: "Tells what time it is now, in UTC.",
  parameters: { type: "object", properties: {}, additionalProperties: false },
} as const;

export function resultOf(call: ToolCall, now: Date): Result {
  return { id: call.id, name: call.name, output: call.name === TOOL.name ? now.toISOString() : `There is no tool ${call.name}.` };
}
