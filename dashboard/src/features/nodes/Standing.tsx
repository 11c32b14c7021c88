import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import type { Cluster } from "@/api/cluster";
import { KeyValues } from "@/components/KeyValues";
import { StatusBadge } from "@/components/StatusBadge";

/** What the cluster stands on, as this node sees it. */
export function Standing({ cluster }: { cluster: Cluster }): ReactElement {
  const { t } = useTranslation("nodes");
  const { nats, quorum, state } = cluster;
  return (
    <KeyValues
      title={t("standing")}
      rows={[
        [
          t("quorum.title"),
          quorum === undefined || quorum === null ? undefined : t("quorum.of", { ...quorum }),
        ],
        [t("nats"), nats === undefined ? undefined : t(`natsMode.${nats.mode}`)],
        [
          t("natsState"),
          nats === undefined ? undefined : (
            <StatusBadge
              key="nats"
              state={nats.connected ? "connected" : "disconnected"}
              isFault
            />
          ),
        ],
        [t("shared"), state === undefined ? undefined : t(state.in_step ? "sharedYes" : "sharedNo")],
        ...(state?.problem === undefined
          ? []
          : ([[t("sharedProblem"), state.problem]] as [string, string][])),
      ]}
    />
  );
}
