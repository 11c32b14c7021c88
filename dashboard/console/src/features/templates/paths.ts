/** Where templates and deliveries are asked for and shown. */
import type { Place } from "@console/components/place";
import type { EdgeTemplateVersion } from "@console/api/shapes";

export const TEMPLATES = "/orgs/{org}/projects/{project}/edgetemplates";
export const TEMPLATE = `${TEMPLATES}/{template}` as const;
export const DELIVERIES = "/orgs/{org}/projects/{project}/edgedeliveries";
export const DELIVERY = `${DELIVERIES}/{delivery}` as const;
/** Everything here changes when a template or a delivery does. */
export const REFRESH = [TEMPLATES, DELIVERIES];
export const EVERY_MS = 2000;
export const TARGETS_MAX = 200;

function below({ org, project }: Place, ...rest: string[]): string {
  return ["/w", org, project, ...rest].map(encodePart).join("/");
}

function encodePart(part: string): string {
  return part === "/w" ? part : encodeURIComponent(part);
}

export const templatesPath = (place: Place) => below(place, "templates");
export const templatePath = (place: Place, id: string) => below(place, "templates", id);
export const deliverPath = (place: Place, id: string) => below(place, "templates", id, "deliver");
export const deliveryPath = (place: Place, id: string) => below(place, "deliveries", id);

export const KINDS = ["text", "number", "boolean"] as const;
export type Parameter = EdgeTemplateVersion["parameters"][number];

const PLACE = /\$\{([A-Za-z_][A-Za-z0-9_]{0,63})\}/g;

/** The parameters that a content has places for, in their order; what is known of them stays. */
export function parametersOf(content: string, known: readonly Parameter[]): Parameter[] {
  const names = [...new Set([...content.matchAll(PLACE)].map(([, name]) => name ?? ""))];
  return names.map(
    (name) =>
      known.find((one) => one.name === name) ?? {
        name,
        kind: "text",
        default: null,
        isSecret: false,
      },
  );
}

/** Values as they are sent: what is empty is not. */
export function filled(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
}
