/** What GET operations answer, as far as the pages read it. */

/** One page of a list. */
export interface List<Row> {
  items: Row[];
  total: number;
}

export interface SetupState {
  isFinished: boolean;
  needsCode: boolean;
}

export interface AccessAddress {
  /** Empty: not set. */
  url: string;
}

export interface UserManagement {
  accessTokenMinutes: number;
  refreshTokenDays: number;
  passwordLengthMin: number;
}

export interface SessionRow {
  id: string;
  address?: string;
  userAgent?: string;
  createdAt: string;
  usedAt?: string;
  expiresAt?: string;
  isCurrent: boolean;
}

export interface Roles {
  roles: string[];
  orgs: {
    id: string;
    name: string;
    roles: string[];
    projects: { id: string; name: string; roles: string[] }[];
  }[];
}

export interface OrgRow {
  id: string;
  name: string;
  createdAt: string;
  projectCount: number;
}

export interface ProjectRow {
  id: string;
  name: string;
  orgId: string;
  orgName: string;
  createdAt: string;
}

export interface MemberRow {
  userId: string;
  email: string;
  name: string;
  role: string;
  isEnabled: boolean;
}

/** Where a user belongs to. */
export interface UserPlace {
  orgId: string;
  orgName: string;
  projectId?: string;
  projectName?: string;
  role: string;
}

export interface UserRow {
  id: string;
  email: string;
  name: string;
  isAdmin: boolean;
  isEnabled: boolean;
  language: string;
  createdAt: string;
  lastLoginAt?: string;
}

export interface UserDetail extends UserRow {
  places: UserPlace[];
}

export interface TokenRow {
  id: string;
  name: string;
  access: string;
  orgId?: string;
  projectId?: string;
  createdAt: string;
  expiresAt: string;
  usedAt?: string;
}

export interface AuditRow {
  id: number;
  at: string;
  operatorName: string;
  via: string;
  address: string;
  resource: string;
  operation: string;
  result: string;
  orgName: string;
  projectName: string;
  objectName: string;
  before?: Record<string, unknown>;
  after?: Record<string, unknown>;
}

export interface Condition {
  type: string;
  /** A warning does not make a cluster abnormal. */
  severity: "error" | "warning";
  since: string;
  text: string;
}

export interface ClusterNode {
  node: string;
  status: string;
  uptimeMs?: number;
  version?: string;
  connections?: number;
}

export interface ClusterRow {
  id: string;
  orgId: string;
  projectId: string;
  name: string;
  address?: string;
  description?: string;
  labels: string[];
  state: string;
  conditions: Condition[];
  version: string;
  edition?: string;
  nodesRunning: number;
  nodesTotal: number;
  connections?: number;
  connectionLimit?: number;
  startedAt?: string;
  createdAt: string;
  adoptedAt?: string;
  lastReportAt?: string;
  reportAgeMs?: number;
  roundTripMs?: number;
  clockSkewMs?: number;
  presence: string;
  presenceAt?: string;
  agent?: { id: string; nodeId: string; hostName: string; version: string; connectedAt?: string };
  tokenState: string;
  tokenExpiresAt?: string;
  nodes?: ClusterNode[];
}

export interface Instructions {
  platforms: { id: string; name: string }[];
  /** The one that this is for. */
  platform: string;
  parameters: {
    name: string;
    label: string;
    default: string;
    isSecret: boolean;
    isOptional: boolean;
  }[];
  steps: {
    id: string;
    title: string;
    text: string;
    commands: { id: string; text: string; isInsecure: boolean }[];
  }[];
}

export interface CheckStep {
  id: string;
  text: string;
  done: boolean;
  at?: string;
}

/** By path, as the document writes it. */
export interface Replies {
  "/setup": SetupState;
  "/profile": UserDetail;
  "/profile/sessions": List<SessionRow>;
  "/roles": Roles;
  "/orgs": List<OrgRow>;
  "/orgs/{org}": OrgRow;
  "/orgs/{org}/members": List<MemberRow>;
  "/orgs/{org}/projects": List<ProjectRow>;
  "/orgs/{org}/projects/{project}": ProjectRow;
  "/orgs/{org}/projects/{project}/members": List<MemberRow>;
  "/projects": List<ProjectRow>;
  "/users": List<UserRow>;
  "/users/{user}": UserDetail;
  "/tokens": List<TokenRow>;
  "/audit": List<AuditRow>;
  "/configuration/server-access-name": AccessAddress;
  "/configuration/user-management": UserManagement;
  "/orgs/{org}/projects/{project}/clusters": List<ClusterRow>;
  "/orgs/{org}/projects/{project}/clusters/filters": { versions: string[]; labels: string[] };
  "/orgs/{org}/projects/{project}/clusters/{cluster}": ClusterRow;
  "/orgs/{org}/projects/{project}/clusters/{cluster}/setup-instructions": Instructions;
  "/orgs/{org}/projects/{project}/clusters/{cluster}/checklist": { steps: CheckStep[] };
}

export type Reply<P extends string> = P extends keyof Replies ? Replies[P] : unknown;
