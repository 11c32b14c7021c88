/** Rules, connectors, actions and sources, as far as the pages read them. */

/** What connectors, actions and sources have in common; the rest is of their type. */
export interface Integrated {
  type: string;
  name: string;
  enable?: boolean;
  description?: string;
  status?: string;
  status_reason?: string;
  status_reason_zh?: string;
  status_since?: string;
  [field: string]: unknown;
}

export interface ConnectorRow extends Integrated {
  /** Ids of those that go through it. */
  actions?: string[];
  sources?: string[];
}

/** An action or a source. */
export interface BridgeRow extends Integrated {
  /** The name of its connector, which is of the same type. */
  connector: string;
  /** Rules that use it. */
  rules?: string[];
  /** Of an action: why its service did not take something, most recently. */
  last_error?: string;
  last_error_zh?: string;
  last_error_at?: string | null;
}

/** A type of connectors, with the forms of what it can be used for. */
export interface ConnectorType {
  type: string;
  title: string;
  title_zh?: string;
  description?: string;
  description_zh?: string;
  is_available?: boolean;
  /** What has to be installed first. */
  missing?: string;
  missing_zh?: string;
  connector: Record<string, unknown>;
  action?: Record<string, unknown>;
  source?: Record<string, unknown>;
}

export type Figures = Record<string, number>;

/** What a rule does with a row: the id of an action, or a function of the node. */
export type RuleOutput = string | { function: string; args?: Record<string, unknown> };

/** An output with the state that it is in. */
export interface OutputState {
  id?: string;
  function?: string;
  enable?: boolean;
  status?: string;
  status_reason?: string;
  status_reason_zh?: string;
}

export interface RuleRow {
  id: string;
  name?: string;
  description?: string;
  sql: string;
  from: string[];
  enable: boolean;
  actions: RuleOutput[];
  /** As `OutputState`. */
  action_details?: Record<string, unknown>[];
  /** The same of the sources that it selects from. */
  source_details?: Record<string, unknown>[];
  metrics?: Figures;
  created_at?: string;
  last_modified_at?: string;
  metadata?: Record<string, unknown>;
}

export interface RuleEvent {
  /** What stands behind FROM. */
  event: string;
  /** By language. */
  title: Record<string, string>;
  /** Columns with an example of each. */
  columns: Record<string, unknown>;
  /** What a person fills in to test a rule: an example, and what it is by language. */
  test_columns: Record<string, unknown>;
  sql_example: string;
}

/** What a rule that is being written makes of a sample. */
export interface RulePreview {
  /** None without a problem: the conditions do not match. */
  rows: unknown[];
  problem: { message: string; line: number | null; column: number | null } | null;
}

export interface RuleFunction {
  name: string;
  family: string;
  family_zh?: string;
  arguments_min?: number;
  arguments_max?: number;
  examples?: { expression: string; result: string }[];
}
