/** What the edge service answers, as its document says; the types are generated from that. */
import type { components, paths } from "./schema";

type Schemas = components["schemas"];

export type NodeRow = Schemas["NodeShown"];
export type GroupRow = Schemas["GroupShown"];
export type PluginRow = Schemas["PluginShown"];
export type PlaceRow = Schemas["PlaceShown"];
export type SubscriptionRow = Schemas["SubscriptionShown"];
export type TemplateRow = Schemas["TemplateRow"];
export type UserRow = Schemas["UserShown"];
export type LogLine = Schemas["LineShown"];

/** A tag, as it is sent and shown. */
export interface Tag {
  name: string;
  address: string;
  type: number;
  attribute: number;
  decimal?: number;
  bias?: number;
  precision?: number;
  unit?: string;
  description?: string;
  value?: unknown;
}

/** A value as it comes live: one of both. */
export interface LiveValue {
  name: string;
  value?: unknown;
  error?: number;
}

/** How the agent is set. */
export type Tunnel = Reply<"/tunnel">;

type Answered<Operation> = Operation extends {
  get: { responses: { 200: { content: { "application/json": infer Body } } } };
}
  ? Body
  : unknown;

/** What a GET of that path answers; the path as the document writes it. */
export type Reply<P extends string> = P extends keyof paths ? Answered<paths[P]> : unknown;
