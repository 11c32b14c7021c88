/**
 * What this node can do, read from its own OpenAPI document.
 *
 * A page whose operations are not in it is not shown: nothing looks finished that is not.
 */
import { useQuery } from "@tanstack/react-query";

import { ApiError } from "@/lib/apiError";

interface Values {
  enum?: unknown[];
  anyOf?: Values[];
  $ref?: string;
}

interface Operation {
  parameters?: { name?: string; in?: string; schema?: Values }[];
}

interface Document {
  paths?: Record<string, Record<string, Operation>>;
  components?: { schemas?: Record<string, Values> };
}

export class Capabilities {
  /** By operation: its parameters, each with the values that it may have. */
  private readonly operations = new Map<string, ReadonlyMap<string, readonly string[]>>();

  constructor(document: Document | null) {
    const known = document?.components?.schemas ?? {};
    for (const [path, methods] of Object.entries(document?.paths ?? {})) {
      for (const [method, operation] of Object.entries(methods)) {
        const parameters = (operation.parameters ?? []).map(
          (parameter) => [parameter.name ?? "", wordsOf(parameter.schema, known)] as const,
        );
        this.operations.set(nameOf(method, path), new Map(parameters));
      }
    }
  }

  /** Whether there is such an operation, such as `GET /clients`. */
  has(operation: string): boolean {
    const [method = "", path = ""] = operation.split(" ");
    return !this.areKnown || this.operations.has(nameOf(method, path));
  }

  /** Whether there is a document to read them from. */
  get areKnown(): boolean {
    return this.operations.size > 0;
  }

  /** Whether an operation takes that parameter. */
  takes(operation: string, parameter: string): boolean {
    return this.choices(operation, parameter) !== undefined;
  }

  /** The values that a parameter may have; empty where any will do. */
  choices(operation: string, parameter: string): readonly string[] | undefined {
    const [method = "", path = ""] = operation.split(" ");
    return this.operations.get(nameOf(method, path))?.get(parameter);
  }
}

function wordsOf(values: Values | undefined, known: Record<string, Values>): string[] {
  if (values?.$ref !== undefined) return wordsOf(known[values.$ref.split("/").at(-1) ?? ""], known);
  if (values?.anyOf !== undefined) return values.anyOf.flatMap((each) => wordsOf(each, known));
  return (values?.enum ?? []).map(String);
}

// The names of path parameters differ between documents and mean nothing here.
function nameOf(method: string, path: string): string {
  const plain = path.replace(/^\/api\/v5/, "").replace(/\{[^}]*\}/g, "{}");
  return `${method.toUpperCase()} ${plain}`;
}

async function load(): Promise<Capabilities> {
  // The document can be switched off; then every page is shown and says itself what is missing.
  let answer: Response;
  try {
    answer = await fetch("/api-docs/swagger.json");
  } catch (error) {
    throw new ApiError(0, "NO_ANSWER", error instanceof Error ? error.message : String(error));
  }
  if (!answer.ok) return new Capabilities(null);
  return new Capabilities((await answer.json()) as Document);
}

const QUERY = { queryKey: ["capabilities"], queryFn: load, staleTime: Infinity } as const;

export function useCapabilities(): Capabilities | undefined {
  return useQuery(QUERY).data;
}

/** Why they are not known, and how to ask again. */
export function useCapabilitiesFailure(): { error: unknown; retry: () => void } {
  const { error, refetch } = useQuery(QUERY);
  return { error, retry: () => void refetch() };
}
