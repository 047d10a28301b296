/** Words that the schema has as texts. Written by docs/generate.py. */

export const CHANNEL_TYPES = [
  "openai",
  "codex",
  "anthropic",
  "gemini",
] as const;
export type ChannelType = (typeof CHANNEL_TYPES)[number];

export const API_FORMATS = [
  "responses",
  "chat_completions",
  "messages",
  "generate_content",
] as const;
export type ApiFormat = (typeof API_FORMATS)[number];

export const PASSED_APIS = [
  "embeddings",
  "images/generations",
  "images/edits",
  "audio/speech",
  "audio/transcriptions",
  "audio/translations",
  "moderations",
  "completions",
  "rerank",
] as const;
export type PassedApi = (typeof PASSED_APIS)[number];

export const ALL_APIS = [
  "responses",
  "chat_completions",
  "messages",
  "generate_content",
  "embeddings",
  "images/generations",
  "images/edits",
  "audio/speech",
  "audio/transcriptions",
  "audio/translations",
  "moderations",
  "completions",
  "rerank",
] as const;
export type AnyApi = (typeof ALL_APIS)[number];

export const TRANSPORTS = [
  "auto",
  "websocket",
  "http",
] as const;
export type Transport = (typeof TRANSPORTS)[number];

export const UNSUPPORTED = [
  "refuse",
  "drop",
] as const;
export type Unsupported = (typeof UNSUPPORTED)[number];

export const SESSION_STATES = [
  "dialing",
  "leased",
  "idle",
] as const;
export type SessionState = (typeof SESSION_STATES)[number];

export const REASONS = [
  "new_session",
  "new_branch",
  "history_rewritten",
  "properties_changed",
  "turn_failed",
  "answer_cut",
  "connection_lost",
  "connection_expired",
  "connection_evicted",
  "upstream_forgot",
  "sealed_elsewhere",
  "replayed",
  "http_transport",
  "native_api",
  "translated",
  "one_shot",
  "warm_up",
] as const;
export type Reason = (typeof REASONS)[number];

export const TROUBLES = [
  "unsent",
  "lost",
  "silent",
  "forgot",
  "expired",
  "sealed_elsewhere",
  "duplicate",
  "foreign_id",
  "malformed",
  "unreachable",
  "no_websocket",
  "no_frames",
  "too_large",
  "busy",
  "limited",
  "failing",
  "unauthorized",
  "barred",
  "unsayable",
  "refused",
  "working",
] as const;
export type Trouble = (typeof TROUBLES)[number];

export const DEFAULT_BASE_URLS: Record<ChannelType, string> = {
  openai: "https://api.openai.com/v1",
  codex: "https://chatgpt.com/backend-api/codex",
  anthropic: "https://api.anthropic.com/v1",
  gemini: "https://generativelanguage.googleapis.com/v1beta",
};

export const DEFAULT_APIS: Record<ChannelType, readonly AnyApi[]> = {
  openai: ["responses", "chat_completions", "embeddings", "images/generations", "images/edits", "audio/speech", "audio/transcriptions", "audio/translations", "moderations", "completions"],
  codex: ["responses"],
  anthropic: ["messages"],
  gemini: ["generate_content"],
};

export const DEFAULT_PATHS: Record<AnyApi, string> = {
  responses: "/responses",
  chat_completions: "/chat/completions",
  messages: "/messages",
  generate_content: "/models",
  embeddings: "/embeddings",
  "images/generations": "/images/generations",
  "images/edits": "/images/edits",
  "audio/speech": "/audio/speech",
  "audio/transcriptions": "/audio/transcriptions",
  "audio/translations": "/audio/translations",
  moderations: "/moderations",
  completions: "/completions",
  rerank: "/rerank",
};

export const ALERT_NOTES = {
  CHANNEL_RESTING: "It failed with: {problem}",
  ERROR_RATE: "{failures} of {turns} turns failed.",
  CONTINUED_SHARE: "{continued} of {turns} turns were continued.",
  CONTINUED_DROP: "It was {before} of {turns_before} turns, and is {share} of {turns}.",
  TURN_LOG_FAILING: "The database says: {problem}",
  DISK_FREE: "The data lies in {folder}.",
  NODE_GONE: "It was not heard for {seconds} seconds and more.",
} as const;

export const ALERT_LABELS = {
  SIGN_IN_NEEDED: "account {account} of channel {channel}",
  CONTINUED_SHARE: "all channels",
  CONTINUED_DROP: "all channels",
} as const;

export const PROBLEMS = {
  unsent: "the connection was dead before anything was sent",
  lost: "the connection ended before any event",
  silent: "no event came in time",
  forgot: "the upstream forgot the response the gateway named",
  expired: "the connection reached its time limit",
  sealed_elsewhere: "the account cannot read encrypted content of another one",
  duplicate: "the upstream already holds an item that was sent",
  foreign_id: "the upstream does not take the id of an item, which another vendor gave it",
  malformed: "the model said what its own vendor cannot read",
  unreachable: "no connection could be opened",
  no_websocket: "the upstream speaks no WebSocket here",
  no_frames: "a WebSocket opened, and nothing ever came over it",
  too_large: "the request passes the limit of a frame",
  busy: "every connection the session may use is busy",
  limited: "429: the account is at a limit",
  failing: "5xx: the upstream is failing",
  unauthorized: "401: the upstream does not take the account's token",
  barred: "401, 402, 403: the channel's key or account cannot be used",
  unsayable: "the API of the channel has no words for something that changes the answer",
  refused: "the upstream refused the request itself",
  working: "the upstream had begun to answer",
  broke_off: "it opened a response and broke off",
} as const;
