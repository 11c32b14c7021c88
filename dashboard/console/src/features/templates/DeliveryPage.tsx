/** One delivery: how far it is, and the result of each edge service. */
import { Anchor, Button } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";

import { ErrorPanel } from "@/components/ErrorPanel";
import { KeyValues } from "@/components/KeyValues";
import { Loading } from "@/components/Loading";
import { Page } from "@/components/Page";
import { useAct } from "@/components/useAct";
import { ABSENT, formatDuration, formatTime } from "@/lib/format";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import { useRights } from "@console/api/roles";
import { CardTable } from "@console/components/CardTable";
import { usePlace } from "@console/components/place";
import { useGoTo } from "@console/components/useGoTo";

import { DELIVERY, EVERY_MS, REFRESH, deliveryPath, templatePath } from "./paths";
import { Word, useCounts } from "./states";

export default function DeliveryPage(): ReactElement {
  const { t, i18n } = useTranslation("templates");
  const place = usePlace();
  const { delivery = "" } = useParams();
  const values = { ...place, delivery };
  const goTo = useGoTo();
  const counts = useCounts();
  const mayChange = useRights().isProjectAdmin(place.org, place.project);
  const answer = useGet(DELIVERY, { path: values, every: EVERY_MS });
  const found = answer.data;
  const stop = useAct({
    run: () => call("post", `${DELIVERY}/stop`, { path: values }),
    refresh: REFRESH,
    done: t("stopping"),
    ask: () => ({ title: t("stop"), text: t("stopText"), action: t("stop") }),
  });
  const rollBack = useAct({
    run: async () => {
      const made = await call<{ id: string }>("post", `${DELIVERY}/rollback`, { path: values });
      goTo(deliveryPath(place, made.id));
    },
    refresh: REFRESH,
    done: t("rollingBack"),
    ask: () => ({ title: t("rollBack"), text: t("rollBackText"), action: t("rollBack") }),
  });
  if (found === undefined) {
    return (
      <Page title={t("delivery")}>
        {answer.error === null ? (
          <Loading />
        ) : (
          <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
        )}
      </Page>
    );
  }
  const isOver = found.endedAt !== null;
  const mayRollBack = isOver && found.rollbackOf === null && (found.counts["succeeded"] ?? 0) > 0;
  return (
    <Page
      title={t(found.rollbackOf === null ? "deliveryOf" : "rollbackOfTemplate", {
        name: found.templateName,
        number: found.number,
      })}
      actions={
        mayChange && (
          <>
            {found.state === "running" && (
              <Button variant="light" color="red" onClick={() => void stop.act()}>
                {t("stop")}
              </Button>
            )}
            {mayRollBack && (
              <Button variant="default" onClick={() => void rollBack.act()}>
                {t("rollBack")}
              </Button>
            )}
          </>
        )
      }
    >
      <Anchor component={Link} to={templatePath(place, found.templateId)} size="sm">
        {t("backToTemplate", { name: found.templateName })}
      </Anchor>
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      <KeyValues
        rows={[
          [t("field.state"), <Word key="state" of="deliveryStates" state={found.state} />],
          [t("targets"), counts(found.counts)],
          [t("wave"), t("waveOf", { wave: found.wave, waves: found.waves })],
          [t("deadline"), formatDuration(found.deadlineS * 1000, i18n.language)],
          [t("failuresMax"), found.failuresMax ?? t("noBound")],
          [t("begun"), formatTime(found.createdAt)],
          [t("by"), found.createdBy],
          [t("ended"), found.endedAt === null ? ABSENT : formatTime(found.endedAt)],
        ]}
      />
      <CardTable
        title={t("targets")}
        rows={found.targets}
        rowKey={(one) => one.serviceId}
        columns={[
          { key: "edge", label: t("edge"), isLong: true, render: (one) => one.serviceName },
          { key: "wave", label: t("wave"), render: (one) => one.wave },
          {
            key: "state",
            label: t("field.state"),
            render: (one) => <Word of="targetStates" state={one.state} />,
          },
          { key: "reason", label: t("reason"), isLong: true, render: (one) => one.message },
          {
            key: "ended",
            label: t("ended"),
            render: (one) => (one.endedAt === null ? ABSENT : formatTime(one.endedAt)),
          },
        ]}
      />
    </Page>
  );
}
