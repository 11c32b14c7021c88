/**
 * What this node can do, read from its own OpenAPI document.
 *
 * A page whose operations are not in it is not shown: nothing looks finished that is not.
 */
import { useQuery } from "@tanstack/react-query";

interface Operation {
  parameters?: { name?: string; in?: string }[];
}

interface Document {
  paths?: Record<string, Record<string, Operation>>;
}

export class Capabilities {
  private readonly operations = new Map<string, ReadonlySet<string>>();

  constructor(document: Document | null) {
    for (const [path, methods] of Object.entries(document?.paths ?? {})) {
      for (const [method, operation] of Object.entries(methods)) {
        const names = (operation.parameters ?? []).map((parameter) => parameter.name ?? "");
        this.operations.set(nameOf(method, path), new Set(names));
      }
    }
  }

  /** Whether there is such an operation, such as `GET /clients`. */
  has(operation: string): boolean {
    const [method = "", path = ""] = operation.split(" ");
    return this.operations.size === 0 || this.operations.has(nameOf(method, path));
  }

  /** Whether an operation takes that parameter. */
  takes(operation: string, parameter: string): boolean {
    const [method = "", path = ""] = operation.split(" ");
    return this.operations.get(nameOf(method, path))?.has(parameter) ?? false;
  }
}

// The names of path parameters differ between documents and mean nothing here.
function nameOf(method: string, path: string): string {
  const plain = path.replace(/^\/api\/v5/, "").replace(/\{[^}]*\}/g, "{}");
  return `${method.toUpperCase()} ${plain}`;
}

async function load(): Promise<Capabilities> {
  // The document can be switched off; then every page is shown and says itself what is missing.
  const answer = await fetch("/api-docs/swagger.json");
  if (!answer.ok) return new Capabilities(null);
  return new Capabilities((await answer.json()) as Document);
}

export function useCapabilities(): Capabilities | undefined {
  return useQuery({ queryKey: ["capabilities"], queryFn: load, staleTime: Infinity }).data;
}
