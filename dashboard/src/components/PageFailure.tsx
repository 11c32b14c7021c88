import type { ReactElement } from "react";
import { useRouteError } from "react-router";

import { ErrorPanel } from "./ErrorPanel";

/** A page that broke says so instead of leaving a blank. */
export function PageFailure(): ReactElement {
  const error = useRouteError();
  return <ErrorPanel error={error} onRetry={() => window.location.reload()} />;
}
