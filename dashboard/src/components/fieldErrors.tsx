/** What the node says about single fields, so that a form marks them. */
import { createContext, useContext } from "react";
import type { ReactElement, ReactNode } from "react";

import { byField } from "@/lib/fieldErrors";

type Errors = Readonly<Record<string, string>>;

const ErrorsContext = createContext<Errors>({});
const PathContext = createContext("");

/** The form below is about what was refused with `error`; `path` is where the node has the form. */
export function FieldErrors(props: { error: unknown; path?: string; children: ReactNode }): ReactElement {
  return (
    <ErrorsContext.Provider value={byField(props.error)}>
      <PathContext.Provider value={props.path ?? ""}>{props.children}</PathContext.Provider>
    </ErrorsContext.Provider>
  );
}

/** What is below is the member `step` of what is around it. */
export function AtField(props: { step: string; children: ReactNode }): ReactElement {
  const around = useContext(PathContext);
  const path = [around, props.step].filter(Boolean).join(".");
  return <PathContext.Provider value={path}>{props.children}</PathContext.Provider>;
}

/** What is wrong with this very field. */
export function useFieldError(): string | undefined {
  return useContext(ErrorsContext)[useContext(PathContext)];
}
