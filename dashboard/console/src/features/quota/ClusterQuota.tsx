/** The connection limit of one cluster: what it is, and another one. */
import { Alert, Button, Card, Group, NumberInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";

import { ErrorPanel } from "@/components/ErrorPanel";
import { KeyValues } from "@/components/KeyValues";
import { Loading } from "@/components/Loading";
import { useToasts } from "@/components/toasts";
import { useAct } from "@/components/useAct";
import { formatNumber, formatTime } from "@/lib/format";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import { useRights } from "@console/api/roles";
import type { QuotaDetail } from "@console/api/shapes";
import { ClusterFrame } from "@console/components/ClusterTabs";
import { usePlace } from "@console/components/place";
import { useClusterNews } from "@console/components/useClusterNews";

import { Hold } from "./Hold";
import { faultOf, isShort, POOL, QUOTA } from "./words";

export default function ClusterQuotaPage(): ReactElement {
  const { t } = useTranslation("quota");
  const place = usePlace();
  const { cluster = "" } = useParams();
  const values = { ...place, cluster };
  const mayChange = useRights().isProjectAdmin(place.org, place.project);
  const answer = useGet(QUOTA, { path: values });
  useClusterNews(place, cluster, [QUOTA]);
  const quota = answer.data;
  return (
    <ClusterFrame help={t("cluster.help")}>
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      {quota === undefined && answer.error === null && <Loading />}
      {quota !== undefined && (
        <div className="two-columns">
          <Shown quota={quota} />
          {mayChange && quota.isPermitted === true && (
            <LimitForm key={quota.changedAt} quota={quota} values={values} />
          )}
        </div>
      )}
    </ClusterFrame>
  );
}

function Shown({ quota }: { quota: QuotaDetail }): ReactElement {
  const { t, i18n } = useTranslation("quota");
  const number = (value: number | null, none: string) =>
    value === null ? none : formatNumber(value, i18n.language);
  const unlimited = t("unlimited");
  return (
    <KeyValues
      title={t("cluster.title")}
      rows={[
        [t("field.state"), <Hold key="state" quota={quota} />],
        [t("limit"), number(quota.limit, t("own"))],
        [t("reportedLimit"), number(quota.reportedLimit, unlimited)],
        [t("connections"), number(quota.connections, "–")],
        [t("left"), number(quota.left, unlimited)],
        [t("total"), number(quota.total, unlimited)],
        [t("perCluster"), number(quota.perCluster, unlimited)],
        [t("changedAt"), formatTime(quota.changedAt)],
        [t("changedBy"), quota.changedBy || t("byItself")],
      ]}
    />
  );
}

interface LimitFormProps {
  quota: QuotaDetail;
  values: Record<string, string>;
}

function LimitForm({ quota, values }: LimitFormProps): ReactElement {
  const { t, i18n } = useTranslation("quota");
  const toasts = useToasts();
  const name = useGet("/orgs/{org}/projects/{project}/clusters/{cluster}", { path: values }).data
    ?.name;
  const [limit, setLimit] = useState<number | null>(quota.limit ?? quota.proposed);
  const [typed, setTyped] = useState("");
  const change = useChange(
    (body: { limit: number | null; confirmation?: string }) =>
      call("put", QUOTA, { path: values, body }),
    [QUOTA, POOL, "/orgs/{org}/projects/{project}/clusters"],
  );
  const release = useAct({
    run: () => change.mutateAsync({ limit: null }),
    refresh: [],
    done: t("released"),
    ask: () => ({ title: t("release"), text: t("releaseText"), action: t("release") }),
  });
  const fault = faultOf(limit, quota);
  const mustConfirm = fault === null && limit !== null && isShort(limit, quota);
  const number = (value: number | null) => formatNumber(value, i18n.language);
  const send = (event: FormEvent) => {
    event.preventDefault();
    change.mutate(
      { limit, confirmation: mustConfirm ? typed : "" },
      { onSuccess: () => toasts.done(t("sent")) },
    );
  };
  const faults = {
    empty: t("fault.empty"),
    one: t("fault.one", { most: number(quota.perCluster) }),
    total: t("fault.total", { total: number(quota.total), left: number(quota.left) }),
  };
  return (
    <Card withBorder padding="md">
      <Title order={2} size="h5" mb="xs">
        {t("change")}
      </Title>
      <form onSubmit={send}>
        <Stack gap="sm">
          <NumberInput
            label={t("limit")}
            description={t("hint", {
              connections: number(quota.connections),
              proposed: number(quota.proposed),
            })}
            required
            min={1}
            allowDecimal={false}
            value={limit ?? ""}
            onChange={(value) => setLimit(value === "" ? null : Number(value))}
            error={fault === null ? undefined : faults[fault]}
          />
          <Text size="sm" c="dimmed">
            {quota.left === null ? t("leftAny") : t("leftOf", { left: number(quota.left) })}
          </Text>
          {limit !== quota.proposed && (
            <Group>
              <Button variant="light" size="xs" onClick={() => setLimit(quota.proposed)}>
                {t("take", { proposed: number(quota.proposed) })}
              </Button>
            </Group>
          )}
          {mustConfirm && (
            <>
              <Alert color="orange">{t("short", { connections: number(quota.connections) })}</Alert>
              <TextInput
                label={t("type", { name })}
                required
                autoComplete="off"
                value={typed}
                onChange={(event) => setTyped(event.currentTarget.value)}
              />
            </>
          )}
          <ErrorPanel error={change.error} />
          <Group justify="flex-end">
            {quota.limit !== null && (
              <Button variant="default" onClick={() => void release.act()}>
                {t("release")}
              </Button>
            )}
            <Button
              type="submit"
              loading={change.isPending}
              disabled={fault !== null || (mustConfirm && typed !== name)}
            >
              {t("save")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Card>
  );
}
