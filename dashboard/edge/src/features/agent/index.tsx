/** System configuration: the agent through which a control plane manages this edge service. */
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { Page } from "@/components/Page";
import { useGet } from "@edge/api/hooks";

import { AgentForm } from "./AgentForm";
import { AgentState } from "./AgentState";
import { TUNNEL } from "./paths";

export default function SystemConfigurationPage(): ReactElement {
  const { t } = useTranslation("agent");
  const { data, error, refetch } = useGet(TUNNEL);
  return (
    <Page title={t("title")} help={t("help")}>
      <ErrorPanel error={error} onRetry={() => void refetch()} />
      {data === undefined && error === null && <Loading />}
      {data !== undefined && (
        <>
          <AgentState isOn={data.enable} />
          <AgentForm held={data} />
        </>
      )}
    </Page>
  );
}
