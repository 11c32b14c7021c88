/** What the control plane answers, as its document says; the types are generated from that. */
import type { components, paths } from "./schema";

type Schemas = components["schemas"];

export type SetupState = Schemas["SetupState"];
export type UserManagement = Schemas["UserManagementShown"];
export type SessionRow = Schemas["SessionShown"];
export type Roles = Schemas["RolesShown"];
export type OrgRow = Schemas["OrgShown"];
export type ProjectRow = Schemas["ProjectShown"];
export type MemberRow = Schemas["MemberShown"];
export type UserRow = Schemas["UserShown"];
export type UserDetail = Schemas["UserDetail"];
export type UserPlace = Schemas["UserPlace"];
export type TokenRow = Schemas["rookery__control__tokens__api__TokenShown"];
export type TokenMade = Schemas["TokenMade"];
export type AuditRow = Schemas["AuditShown"];
export type Condition = Schemas["ConditionShown"];
export type ClusterRow = Schemas["ClusterShown"];
export type ClusterDetail = Schemas["ClusterDetail"];
export type Instructions = Schemas["InstructionsShown"];
export type CheckStep = Schemas["MilestoneShown"];
export type RegistrationToken = Schemas["rookery__control__clusters__shown__TokenShown"];

/** One page of a list. */
export interface List<Row> {
  items: Row[];
  total: number;
}

type Answered<Operation> = Operation extends {
  get: { responses: { 200: { content: { "application/json": infer Body } } } };
}
  ? Body
  : unknown;

/** What a GET of that path answers; the path as the document writes it. */
export type Reply<P extends string> = P extends keyof paths ? Answered<paths[P]> : unknown;
