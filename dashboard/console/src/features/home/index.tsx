import type { ReactElement } from "react";
import { Navigate } from "react-router";

import { Loading } from "@/components/Loading";
import { clustersPath, usePlaces } from "@console/components/place";

/** The workbench of the project that was shown last; without any project, the way to one. */
export default function HomePage(): ReactElement {
  const { projects, current } = usePlaces();
  if (projects === undefined) return <Loading />;
  if (current === undefined) return <Navigate to="/guide" replace />;
  return <Navigate to={clustersPath({ org: current.orgId, project: current.id })} replace />;
}
