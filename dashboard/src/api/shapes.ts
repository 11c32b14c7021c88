/** What GET operations answer, as far as the pages read it. */
import type {
  BridgeRow,
  ConnectorRow,
  ConnectorType,
  Figures,
  RuleEvent,
  RuleFunction,
  RuleRow,
} from "./integration";

import type { Cluster, ClusterLink, GlobalMoving, LinkMetrics } from "./cluster";

export type * from "./cluster";
export type * from "./integration";

export interface Page<Row> {
  data: Row[];
  meta?: { page?: number; limit?: number; count?: number; hasnext?: boolean };
}

export interface ClientRow {
  clientid: string;
  username?: string | null;
  node: string;
  connected: boolean;
  connected_at?: string;
  disconnected_at?: string;
  created_at?: string;
  ip_address?: string;
  port?: number;
  proto_name?: string;
  proto_ver?: number;
  keepalive?: number;
  clean_start?: boolean;
  expiry_interval?: number;
  subscriptions_cnt?: number;
  mqueue_len?: number;
  inflight_cnt?: number;
  [field: string]: unknown;
}

export interface SubscriptionRow {
  node: string;
  clientid: string;
  topic: string;
  qos: number;
  nl?: number;
  rap?: number;
  rh?: number;
  durable?: boolean;
}

export interface QueuedMessage {
  msgid?: string;
  topic: string;
  qos: number;
  publish_at?: string | number;
  from_clientid?: string;
  from_username?: string;
  payload?: string;
  inserted_at?: string;
}

export interface MessageList {
  data: QueuedMessage[];
  meta: { start?: string | number; position?: string | number; count?: number };
}

export interface NodeRow {
  node: string;
  node_status: string;
  version?: string;
  edition?: string;
  role?: string;
  uptime?: number;
  connections?: number;
  live_connections?: number;
  load1?: number | string;
  load5?: number | string;
  load15?: number | string;
  max_fds?: number;
  memory_total?: number | string;
  memory_used?: number | string;
  [field: string]: unknown;
}

export interface MonitorNow {
  connections: number;
  live_connections: number;
  topics: number;
  subscriptions: number;
  retained_msg_count?: number;
  shared_subscriptions?: number;
  received_msg_rate: number;
  sent_msg_rate: number;
  dropped_msg_rate: number;
  [field: string]: number | undefined;
}

export interface MonitorSample {
  time_stamp: number;
  [name: string]: number;
}

export interface Alarm {
  node: string;
  name: string;
  message: string;
  details?: unknown;
  duration?: number;
  activate_at?: string;
  deactivate_at?: string;
}

export interface Banned {
  as: string;
  who: string;
  by?: string;
  reason?: string;
  at?: string;
  until?: string;
}

export interface ListenerRow {
  id: string;
  type: string;
  name?: string;
  enable: boolean;
  bind: string;
  acceptors?: number;
  error?: string | null;
  status?: {
    running: boolean | string;
    max_connections?: number | string;
    current_connections?: number;
  };
  [field: string]: unknown;
}

export interface Provider {
  id?: string;
  mechanism: string;
  backend?: string;
  enable?: boolean;
  [field: string]: unknown;
}

export interface Source {
  type: string;
  enable?: boolean;
  [field: string]: unknown;
}

/** Whether a provider or source can be asked, and why not. */
export interface ServiceState {
  status?: string;
  node_error?: { node: string; error: string }[];
  metrics?: Record<string, number>;
}

export interface Rule {
  topic: string;
  permission: string;
  action: string;
  qos?: number[];
  retain?: boolean | string;
  [field: string]: unknown;
}

export interface RuleSet {
  username?: string;
  clientid?: string;
  rules: Rule[];
}

export interface AuthUser {
  user_id: string;
  is_superuser?: boolean;
}

export interface ApiKey {
  name: string;
  api_key?: string;
  api_secret?: string;
  expired_at?: string;
  created_at?: string;
  desc?: string;
  enable?: boolean;
  expired?: boolean;
  role?: string;
}

export interface DashboardUser {
  username: string;
  role?: string;
  description?: string;
  backend?: string;
}

export interface AuditEntry {
  created_at?: string;
  node?: string;
  from?: string;
  source?: string;
  source_ip?: string;
  operation_id?: string;
  operation_type?: string;
  operation_result?: string;
  http_status_code?: number;
  http_method?: string;
  duration_ms?: number;
  [field: string]: unknown;
}

export interface BackupFile {
  node: string;
  filename: string;
  created_at: string;
  size?: number;
}

export interface RetainedRow {
  msgid?: string;
  topic: string;
  qos: number;
  publish_at?: string;
  from_clientid?: string;
  from_username?: string;
  payload?: string;
}

export interface DelayedRow {
  msgid: string;
  node: string;
  topic: string;
  qos: number;
  publish_at?: string;
  delayed_interval?: number;
  delayed_remaining?: number;
  expected_at?: string;
  from_clientid?: string;
  from_username?: string;
  payload?: string;
}

export interface RewriteRule {
  action: string;
  source_topic: string;
  dest_topic: string;
  re: string;
}

export interface AutoSubscription {
  topic: string;
  qos?: number;
  nl?: number;
  rap?: number;
  rh?: number;
}

export interface TopicMetric {
  topic: string;
  create_time: string;
  reset_time?: string;
  /** `message.in.count`, `message.qos1.out.rate` … */
  metrics: Record<string, number>;
}

export interface SlowRow {
  clientid: string;
  node?: string;
  topic: string;
  timespan: number;
  last_update_time?: number;
}

export interface TraceRow {
  name: string;
  type: string;
  status?: string;
  start_at?: string;
  end_at?: string;
  clientid?: string;
  topic?: string;
  ip_address?: string;
  log_size?: unknown;
  formatter?: string;
  payload_encode?: string;
}

export interface PluginRow {
  /** `NAME-VERSION` */
  name: string;
  rel_vsn: string;
  description?: string;
  status?: string;
  error?: string;
  restarts?: number;
  hookpoints?: string[];
  has_settings?: boolean;
  enable?: boolean;
  author?: string[];
  readme?: string;
  run?: PluginRun;
}

/** How a plugin is run. */
export interface PluginRun {
  workers?: number;
  deadline_s?: number;
  /** Bytes. */
  memory_max?: number;
  topics?: string[];
  /** By hookpoint: what holds without an answer. */
  failure?: Record<string, string>;
}

export interface PluginWorker {
  worker: number;
  is_attached: boolean;
  asked: number;
  answered: number;
  late: number;
  failed: number;
  told: number;
  dropped: number;
  open: number;
}

export interface LogLevel {
  module: string;
  level: string;
}

export interface TopicRow {
  topic: string;
  node: string;
  session?: string;
}

export interface QuotaSetting {
  connection_low_watermark: string;
  connection_high_watermark: string;
  dynamic_max_connections?: number | "infinity";
  managed_by: { name: string; url: string; former_limit: number | "infinity" } | null;
}

export interface License {
  connections?: number;
  [field: string]: unknown;
}

/** One setting with where its value comes from. */
export interface Setting {
  path: string;
  value: unknown;
  /** What set it, for people: the file and its line, the variable … */
  origin: string;
  source: string;
  changeable: boolean;
  /** Whether a change holds at once or waits for a restart. */
  hot: boolean;
  default?: unknown;
  description?: string;
  description_zh?: string;
}

export interface Explanation {
  result: string;
  source: string;
  file?: string | null;
  line?: number | null;
  rule?: string | null;
  steps: { source: string; said: string; reason: string }[];
}

export interface Replies {
  "/clients": Page<ClientRow>;
  "/clients/{clientid}": ClientRow;
  "/clients/{clientid}/mqueue_messages": MessageList;
  "/clients/{clientid}/inflight_messages": MessageList;
  "/subscriptions": Page<SubscriptionRow>;
  "/topics": Page<TopicRow>;
  "/nodes": NodeRow[];
  "/cluster": Cluster;
  "/cluster/links": ClusterLink[];
  "/cluster/links/link/{name}": ClusterLink;
  "/cluster/links/link/{name}/metrics": LinkMetrics;
  "/load_rebalance/global_status": GlobalMoving;
  "/monitor": MonitorSample[];
  "/monitor_current": MonitorNow;
  "/alarms": Page<Alarm>;
  "/banned": Page<Banned>;
  "/listeners": ListenerRow[];
  "/listeners/{id}": ListenerRow;
  "/authentication": Provider[];
  "/authentication/{id}": Provider;
  "/authentication/{id}/status": ServiceState;
  "/authentication/{id}/users": Page<AuthUser>;
  "/authorization/sources": { sources: Source[] };
  "/authorization/sources/{type}": Source;
  "/authorization/sources/{type}/status": ServiceState;
  "/authorization/settings": Record<string, unknown>;
  "/authorization/sources/built_in_database/rules/all": { rules: Rule[] };
  "/authorization/sources/built_in_database/rules/users": Page<RuleSet>;
  "/authorization/sources/built_in_database/rules/clients": Page<RuleSet>;
  "/api_key": ApiKey[];
  "/users": DashboardUser[];
  "/audit": Page<AuditEntry>;
  "/data/files": Page<BackupFile>;
  "/mqtt/retainer": Record<string, unknown>;
  "/mqtt/retainer/messages": Page<RetainedRow>;
  "/mqtt/retainer/message/{topic}": RetainedRow;
  "/mqtt/delayed/messages": Page<DelayedRow>;
  "/mqtt/delayed/messages/{node}/{msgid}": DelayedRow;
  "/mqtt/topic_rewrite": RewriteRule[];
  "/mqtt/auto_subscribe": AutoSubscription[];
  "/mqtt/topic_metrics": TopicMetric[];
  "/slow_subscriptions": Page<SlowRow>;
  "/slow_subscriptions/settings": Record<string, unknown>;
  "/trace": TraceRow[];
  "/trace/{name}/log": { items: string; meta?: { bytes?: number; position?: number } };
  "/log/levels": Page<LogLevel>;
  "/plugins": PluginRow[];
  "/plugins/allowed": { name: string }[];
  "/plugins/{name}/workers": PluginWorker[];
  "/plugins/{name}/schema": unknown;
  "/plugins/{name}/config": Record<string, unknown>;
  "/license": License;
  "/license/setting": QuotaSetting;
  "/configs": Record<string, unknown>;
  "/configs_origins": Page<Setting>;
  "/schemas/configs": Record<string, unknown>;
  "/rules": Page<RuleRow>;
  "/rules/{id}": RuleRow;
  "/rules/{id}/metrics": { id?: string; metrics: Figures };
  "/rule_events": RuleEvent[];
  "/rule_functions": RuleFunction[];
  "/connector_types": ConnectorType[];
  "/connectors": ConnectorRow[];
  "/connectors/{id}": ConnectorRow;
  "/actions": BridgeRow[];
  "/actions/{id}": BridgeRow;
  "/actions/{id}/metrics": { metrics: Figures };
  "/sources": BridgeRow[];
  "/sources/{id}": BridgeRow;
  "/sources/{id}/metrics": { metrics: Figures };
}

export type Reply<P extends string> = P extends keyof Replies ? Replies[P] : unknown;
