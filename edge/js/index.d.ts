/** Whose fault a failure is. */
export type FailureType = 'config' | 'transient' | 'system';

export class ConnectorError extends Error {
  readonly failureType: FailureType;
  /** For an engineer. */
  readonly internalMessage?: string;
}

/** A component that jco has transpiled, and a function that finds its core modules. */
export interface Component {
  instantiate(getCoreModule: (path: string) => WebAssembly.Module | Promise<WebAssembly.Module>, imports: object): unknown;
  getCoreModule(path: string): WebAssembly.Module | Promise<WebAssembly.Module>;
}

export interface Limits {
  /** The most requests of one call or read. Default: no limit. */
  requests?: number;
  /** The most requests at a time. Default: 6, the connections that a Worker has. */
  inFlight?: number;
  /** The most requests that wait for their turn. Default: 256. */
  waiting?: number;
  /** The most bytes of the headers of a request or a response. Default: 128 KiB. */
  headerBytes?: number;
  /** The most bytes of the body of a request. Default: 1 MiB. */
  requestBytes?: number;
  /** The most bytes of one response, decoded. Default: 32 MiB. */
  responseBytes?: number;
  /** The most bytes of all responses of one call or read. Default: no limit. */
  totalBytes?: number;
  /** How long to wait for the head of a response. Default: a minute. */
  headMilliseconds?: number;
  /** How long to wait for the next bytes of a body. Default: a minute. */
  idleMilliseconds?: number;
  /** The longest time until the next batch, or until `check` has ended. Default: 15 minutes. */
  callMilliseconds?: number;
  /**
   * The longest time that a connector computes without waiting. Noticed when it calls the host, so
   * an endless loop that does not is not ended. Default: a minute.
   */
  computeMilliseconds?: number;
  /** The longest time of one call or read. Default: no limit. */
  milliseconds?: number;
  /** The most log lines of one call or read; others are dropped. Default: 1,000. */
  logLines?: number;
  /**
   * The most handles that a connector has open (headers, requests, bodies, timers), and gives to
   * one call. Default: 10,000.
   */
  handles?: number;
  /**
   * The most bytes that the package keeps for a connector: requests that are not sent yet, heads of
   * responses, and parts of bodies. Counted roughly, and rather too high. Default: 16 MiB.
   */
  heldBytes?: number;
}

export interface Options {
  component: Component;
  /** The config, as the specification describes it. */
  config?: Record<string, unknown>;
  /** Instead of the global `fetch`. It must not follow redirects when asked not to. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Receives log lines. Secrets are masked. */
  log?: (level: 'trace' | 'debug' | 'info' | 'warn' | 'error', message: string) => void;
  limits?: Limits;
  /** The only origins to allow, instead of those that the specification asks for. */
  allowedOrigins?: string[];
}

export interface Specification {
  name: string;
  version: string;
  configSchema: object;
  documentationUrl?: string;
  allowedHosts: string[];
}

export type SyncMode = 'full-refresh' | 'incremental';

export interface Stream {
  name: string;
  jsonSchema: object;
  supportedSyncModes: SyncMode[];
  primaryKey: string[][];
  cursorField: string[];
  resumable: boolean;
  group?: string;
  selectedByDefault: boolean;
  requests?: string;
}

export interface Batch {
  /** Each the text of one JSON object. `JSON.parse` would lose digits of large numbers. */
  records: string[];
  /** The state that is true once these records, and all before them, are safely written. */
  checkpoint?: string;
}

/**
 * When to stop a read. It then starts nothing new, and ends with a checkpoint that covers every
 * record, so nothing is read twice. That takes a few requests more: as many as are in flight, and
 * those of pages that belong together.
 */
export interface Budget {
  requests?: number;
  bytes?: number;
  milliseconds?: number;
}

export interface Usage {
  requests: number;
  bytes: number;
  milliseconds: number;
}

export interface ReadOptions {
  /** Default: `incremental`. */
  mode?: SyncMode;
  /** The last checkpoint of an earlier read. */
  state?: string | null;
  signal?: AbortSignal;
  budget?: Budget;
  /** Told when the API's rate limit is exceeded, and until when the connector waits. */
  rateLimited?: (until: Date) => void;
  /** Told how many slices have been read, of how many if that is known. */
  slices?: (done: number, total?: number) => void;
  /** Told at the end what the read has used. */
  onUsage?: (usage: Usage) => void;
}

export interface Connector {
  readonly spec: Specification;
  /** The origins that the connector may reach. */
  readonly origins: string[];
  /** Tries whether the source can be reached. Throws a `ConnectorError` if not. */
  check(options?: { signal?: AbortSignal }): Promise<void>;
  streams(options?: { signal?: AbortSignal }): Promise<Stream[]>;
  /** Reads one stream. Returns `done: false` if the budget ended the read. */
  read(stream: string, options?: ReadOptions): AsyncGenerator<Batch, { done: boolean }, void>;
}

/** Prepares a connector: checks what it asks for, seals the config's secrets. Makes no request. */
export function connector(options: Options): Promise<Connector>;

export const DEFAULT_LIMITS: Required<Limits>;

export interface SyncOptions {
  streams: (string | { stream: string; mode?: SyncMode })[];
  /** The progress of an earlier sync. */
  progress?: Progress;
  /** Stores records. The states that cover them are reported once it has resolved. */
  write: (stream: string, records: string[]) => void | Promise<void>;
  /** Stores the progress. Called after each checkpoint. */
  save?: (progress: Progress) => void | Promise<void>;
  budget?: Budget;
  signal?: AbortSignal;
}

/** How far a sync has come. Plain JSON, to be kept as it is. */
export interface Progress {
  /** The last state of each stream. */
  states?: Record<string, string>;
  /** The streams that this sync has read to their end. */
  finished?: string[];
}

export interface SyncResult {
  /** What to go on with: the rest of this sync, or the next sync if this one is done. */
  progress: Progress;
  /** Whether every stream was read to its end. */
  done: boolean;
}

/** Reads streams within a budget, and returns the progress to go on with. */
export function sync(connector: Connector, options: SyncOptions): Promise<SyncResult>;
