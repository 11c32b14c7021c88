/** One delivery: how far it is, and the result of each edge service. */
import { Anchor, Button, Card, Table } from "@mantine/core";
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
import { usePlace } from "@console/components/place";
import { useGoTo } from "@console/components/useGoTo";

import { DELIVERY, EVERY_MS, REFRESH, deliveryPath, templatePath } from "./paths";
import { Word, useCounts } from "./states";

export default function DeliveryPage(): ReactElement {
  const { t } = useTranslation("templates");
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
          [t("deadline"), formatDuration(found.deadlineS * 1000)],
          [t("failuresMax"), found.failuresMax ?? t("noBound")],
          [t("begun"), formatTime(found.createdAt)],
          [t("by"), found.createdBy],
          [t("ended"), found.endedAt === null ? ABSENT : formatTime(found.endedAt)],
        ]}
      />
      <Card withBorder padding={0}>
        <div className="table-scroll" role="region" aria-label={t("targets")} tabIndex={0}>
          <Table>
            <caption className="hidden-text">{t("targets")}</caption>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t("edge")}</Table.Th>
                <Table.Th>{t("wave")}</Table.Th>
                <Table.Th>{t("field.state")}</Table.Th>
                <Table.Th>{t("reason")}</Table.Th>
                <Table.Th>{t("ended")}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {found.targets.map((one) => (
                <Table.Tr key={one.serviceId}>
                  <Table.Td className="wrap">{one.serviceName}</Table.Td>
                  <Table.Td>{one.wave}</Table.Td>
                  <Table.Td>
                    <Word of="targetStates" state={one.state} />
                  </Table.Td>
                  <Table.Td className="wrap">{one.message}</Table.Td>
                  <Table.Td>{one.endedAt === null ? ABSENT : formatTime(one.endedAt)}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      </Card>
    </Page>
  );
}
