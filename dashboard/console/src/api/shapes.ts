/** What the control plane answers, as its document says; the types are generated from that. */
import type { components, paths } from "./schema";

type Schemas = components["schemas"];

export type SetupState = Schemas["SetupState"];
export type UserManagement = Schemas["UserManagementShown"];
export type AgentRelay = Reply<"/configuration/agent-relay">;
export type OidcProvider = Schemas["OidcShown"];
export type FactorEnrolment = Schemas["rookery__control__accounts__second_factor_api__EnrolmentShown"];
export type RecoveryCodes = Schemas["RecoveryShown"];
export type InvitationRow = Schemas["InvitationShown"];
export type InvitationMade = Schemas["InvitationMade"];
export type InvitationOpened = Schemas["OpenedShown"];
export type MailServer = Schemas["MailShown"];
export type SessionRow = Schemas["SessionShown"];
export type Roles = Schemas["RolesShown"];
export type OrgRow = Schemas["OrgShown"];
export type ProjectRow = Schemas["ProjectShown"];
export type MemberRow = Schemas["MemberShown"];
export type UserRow = Schemas["UserListed"];
export type UserDetail = Schemas["UserDetail"];
export type UserPlace = Schemas["UserPlace"];
export type TokenRow = Schemas["rookery__control__tokens__api__TokenShown"];
export type TokenMade = Schemas["TokenMade"];
export type AuditRow = Schemas["AuditShown"];
export type LogRow = Schemas["LogShown"];
export type LogPage = Schemas["LogPage"];
export type LogSources = Schemas["SourcesShown"];
export type LogHistogram = Schemas["HistogramShown"];
export type LogReceiver = Schemas["ReceiverShown"];
export type Condition = Schemas["ConditionShown"];
export type ClusterRow = Schemas["ClusterShown"];
export type ClusterDetail = Schemas["ClusterDetail"];
export type Metrics = Schemas["MetricsShown"];
export type MetricLine = Schemas["LineShown"];
export type Overview = Schemas["OverviewShown"];
export type Troubled = Schemas["TroubledShown"];
export type FoundClients = Schemas["FoundShown"];
export type ClientRow = Schemas["ClientShown"];
export type CommandRow = Schemas["ClusterCommand"];
export type Pool = Schemas["PoolShown"];
export type PoolSettings = Schemas["PoolSettingsShown"];
export type QuotaDetail = Schemas["QuotaShown"];
export type LimitRow = Schemas["LimitShown"];
export type Instructions = Schemas["InstructionsShown"];
export type CheckStep = Schemas["MilestoneShown"];
export type RegistrationToken = Schemas["rookery__control__clusters__shown__TokenShown"];
export type AlarmRow = Schemas["AlarmShown"];
export type AlarmDetail = Schemas["AlarmDetail"];
export type AlarmSummary = Schemas["SummaryShown"];
export type AlarmSettings = Schemas["AlarmSettingsShown"];
export type AlarmMail = Schemas["AlarmMailShown"];
export type AlarmRule = Schemas["RuleShown"];
export type AlarmWindow = Schemas["WindowShown"];
export type AlarmChannel = Schemas["ChannelShown"];
export type AlarmDelivery = Schemas["DeliveryShown"];
export type PushTest = Schemas["PushTestShown"];

/** One page of a list. */
export interface List<Row> {
  items: Row[];
  total: number;
}

export type EdgeAgentRow = Reply<"/edgeagents">["items"][number];
export type EdgeServiceRow = Reply<"/orgs/{org}/projects/{project}/edgeservices">["items"][number];
export type EdgeServiceDetail = Reply<"/orgs/{org}/projects/{project}/edgeservices/{service}">;
export type EdgeConnection = Reply<"/orgs/{org}/projects/{project}/edgeservices/{service}/connection">;
export type EdgeOverview = Reply<"/orgs/{org}/projects/{project}/monitoring/edge">;
export type EdgeNodeSeen = EdgeOverview["notRunning"][number];
export type Enrolment = Reply<"/configuration/agent-enrolment">;
export type AdoptionRule = Reply<"/configuration/edge-adoption-rules">["rules"][number];
export type EdgeTemplateRow = Schemas["EdgeTemplateShown"];
export type EdgeTemplateDetail = Schemas["TemplateDetail"];
export type EdgeTemplateVersion = Schemas["VersionShown"];
export type EdgeDeliveryRow = Schemas["EdgeDeliveryShown"];

type Answered<Operation> = Operation extends {
  get: { responses: { 200: { content: { "application/json": infer Body } } } };
}
  ? Body
  : unknown;

/** What a GET of that path answers; the path as the document writes it. */
export type Reply<P extends string> = P extends keyof paths ? Answered<paths[P]> : unknown;
