/** To whom a template goes, with which values and how fast; tried on paper before it is begun. */
import { Anchor, Button, Card, Group, NativeSelect, NumberInput, Stack, TagsInput, Title } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";

import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { Page } from "@/components/Page";
import { useChange } from "@/lib/query";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { EdgeTemplateDetail } from "@console/api/shapes";
import { EDGES } from "@console/components/edgePaths";
import { usePlace } from "@console/components/place";
import { useGoTo } from "@console/components/useGoTo";

import { DELIVERIES, TARGETS_MAX, TEMPLATE, deliveryPath, filled, templatePath } from "./paths";
import { Tried, type TriedRow } from "./Tried";
import { Values, type OfEdges } from "./Values";

export default function DeliverPage(): ReactElement {
  const { t } = useTranslation("templates");
  const place = usePlace();
  const { template = "" } = useParams();
  const answer = useGet(TEMPLATE, { path: { ...place, template } });
  if (answer.data === undefined) {
    return (
      <Page title={t("deliver")}>
        {answer.error === null ? (
          <Loading />
        ) : (
          <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
        )}
      </Page>
    );
  }
  return <DeliverForm key={template} template={answer.data} />;
}

function DeliverForm({ template }: { template: EdgeTemplateDetail }): ReactElement {
  const { t } = useTranslation("templates");
  const place = usePlace();
  const goTo = useGoTo();
  const values = { ...place, template: template.id };
  const [number, setNumber] = useState(template.newest);
  const [labels, setLabels] = useState<string[]>([]);
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [defaults, setDefaults] = useState<Record<string, string>>({});
  const [own, setOwn] = useState<OfEdges>({});
  const [waveSize, setWaveSize] = useState<number | string>(TARGETS_MAX);
  const [failuresMax, setFailuresMax] = useState<number | string>(1);
  const [minutes, setMinutes] = useState<number | string>(10);
  const choices = useGet(`${EDGES}/filters`, { path: { ...place } });
  const edges = useGet(EDGES, { path: { ...place }, query: { label: labels, size: 1000 } });
  const version = template.versions.find((one) => one.number === number);
  const parameters = version?.parameters ?? [];
  const meant = edges.data?.items ?? [];
  const chosen = meant.filter(({ id }) => !left.has(id));
  const aim = () => ({
    version: number,
    labels,
    serviceIds: chosen.length === meant.length ? [] : chosen.map(({ id }) => id),
    defaults: filled(defaults),
    values: Object.fromEntries(
      chosen
        .map(({ id }) => [id, filled(own[id] ?? {})] as const)
        .filter(([, given]) => Object.keys(given).length > 0),
    ),
  });
  const preview = useChange(
    () =>
      call<{ items: TriedRow[] }>("post", `${TEMPLATE}/preview`, { path: values, body: aim() }),
    [],
  );
  const deliver = useChange(
    () =>
      call<{ id: string }>("post", `${TEMPLATE}/deliver`, {
        path: values,
        body: {
          ...aim(),
          waveSize: Number(waveSize),
          failuresMax: failuresMax === "" ? null : Number(failuresMax),
          deadlineS: Math.round(Number(minutes) * 60),
        },
      }),
    [DELIVERIES],
  );
  const begin = () =>
    deliver.mutate(undefined, { onSuccess: ({ id }) => goTo(deliveryPath(place, id)) });
  return (
    <Page title={t("deliverOne", { name: template.name })} help={t("deliverHelp")}>
      <Anchor component={Link} to={templatePath(place, template.id)} size="sm">
        {t("backToTemplate", { name: template.name })}
      </Anchor>
      <Card withBorder padding="md">
        <Stack gap="sm">
          <Title order={2} size="h5">
            {t("what")}
          </Title>
          <NativeSelect
            label={t("version")}
            data={template.versions.map((one) => ({
              value: String(one.number),
              label: one.note === "" ? String(one.number) : `${one.number} (${one.note})`,
            }))}
            value={String(number)}
            onChange={(event) => setNumber(Number(event.currentTarget.value))}
          />
          <TagsInput
            label={t("labels")}
            description={t("labelsHelp")}
            data={choices.data?.labels ?? []}
            value={labels}
            onChange={setLabels}
            clearable={false}
          />
          <Group grow align="flex-start">
            <NumberInput
              label={t("waveSize")}
              description={t("waveSizeHelp")}
              min={1}
              max={TARGETS_MAX}
              value={waveSize}
              onChange={setWaveSize}
            />
            <NumberInput
              label={t("failuresMax")}
              description={t("failuresMaxHelp")}
              min={1}
              max={TARGETS_MAX}
              value={failuresMax}
              onChange={setFailuresMax}
            />
            <NumberInput
              label={t("deadlineMinutes")}
              description={t("deadlineHelp")}
              min={1}
              max={10_080}
              value={minutes}
              onChange={setMinutes}
            />
          </Group>
        </Stack>
      </Card>
      <Values
        edges={meant}
        left={left}
        parameters={parameters}
        defaults={defaults}
        own={own}
        onLeft={setLeft}
        onDefaults={setDefaults}
        onOwn={setOwn}
      />
      <ErrorPanel error={edges.error ?? preview.error ?? deliver.error} />
      <Group>
        <Button
          variant="default"
          loading={preview.isPending}
          disabled={chosen.length === 0}
          onClick={() => preview.mutate()}
        >
          {t("preview")}
        </Button>
        <Button loading={deliver.isPending} disabled={chosen.length === 0} onClick={begin}>
          {t("deliverTo", { number: chosen.length })}
        </Button>
      </Group>
      {preview.data && <Tried rows={preview.data.items} />}
    </Page>
  );
}
