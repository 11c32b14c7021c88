/** One template: its versions, what edge services have of it, and how it was delivered. */
import { Anchor, Button, Text, Textarea, Title } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";

import { Dialog } from "@/components/Dialog";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Loading } from "@/components/Loading";
import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import { useToasts } from "@/components/toasts";
import { useAct } from "@/components/useAct";
import { ABSENT, formatTime } from "@/lib/format";
import { call, get } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import { useRights } from "@console/api/roles";
import type { EdgeDeliveryRow, EdgeTemplateVersion } from "@console/api/shapes";
import { CardTable, type CardColumn } from "@console/components/CardTable";
import { EVERY_MS as REPORT_MS, edgePath } from "@console/components/edgePaths";
import { ListTable } from "@console/components/ListTable";
import { usePlace } from "@console/components/place";
import { useGoTo } from "@console/components/useGoTo";

import { DELIVERIES, REFRESH, TEMPLATE, deliverPath, deliveryPath, templatesPath } from "./paths";
import { Word, useCounts } from "./states";
import { TemplateDialog } from "./TemplateDialog";

interface Shown {
  version: EdgeTemplateVersion;
  content: string;
  isDraft: boolean;
}

export default function TemplatePage(): ReactElement {
  const { t } = useTranslation("templates");
  const place = usePlace();
  const { template = "" } = useParams();
  const values = { ...place, template };
  const goTo = useGoTo();
  const toasts = useToasts();
  const mayChange = useRights().isProjectAdmin(place.org, place.project);
  const [shown, setShown] = useState<Shown | null>(null);
  const answer = useGet(TEMPLATE, { path: values });
  const found = answer.data;
  const remove = useAct({
    run: () => call("delete", TEMPLATE, { path: values }),
    refresh: REFRESH,
    done: t("deleted"),
    ask: () => ({ title: t("delete"), text: t("deleteText"), action: t("delete") }),
  });
  const show = async (version: EdgeTemplateVersion, isDraft: boolean) => {
    try {
      const path = { ...values, number: String(version.number) };
      const { content } = (await get<string>(`${TEMPLATE}/versions/{number}`, { path })) as {
        content: string;
      };
      setShown({ version, content, isDraft });
    } catch (error) {
      toasts.failed(error);
    }
  };
  if (found === undefined) {
    return (
      <Page title={t("title")}>
        {answer.error === null ? (
          <Loading />
        ) : (
          <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
        )}
      </Page>
    );
  }
  const newest = found.versions[0];
  const gone = async () => {
    if (await remove.act()) goTo(templatesPath(place));
  };
  return (
    <Page
      title={found.name}
      help={found.description}
      actions={
        mayChange &&
        newest !== undefined && (
          <>
            <Button onClick={() => goTo(deliverPath(place, template))}>{t("deliver")}</Button>
            <Button variant="default" onClick={() => void show(newest, true)}>
              {t("addVersion")}
            </Button>
            <Button variant="light" color="red" onClick={() => void gone()}>
              {t("delete")}
            </Button>
          </>
        )
      }
    >
      <Anchor component={Link} to={templatesPath(place)} size="sm">
        {t("back")}
      </Anchor>
      <Versions
        versions={found.versions}
        {...(mayChange && { onShow: (version) => void show(version, false) })}
      />
      <Drift values={values} />
      <Deliveries template={template} />
      {shown?.isDraft === true && (
        <TemplateDialog
          of={{ id: template, name: found.name, content: shown.content, newest: shown.version }}
          onClose={() => setShown(null)}
        />
      )}
      {shown?.isDraft === false && (
        <Dialog
          title={t("versionOf", { number: shown.version.number })}
          size="xl"
          onClose={() => setShown(null)}
        >
          <Textarea
            aria-label={t("content")}
            readOnly
            autosize
            maxRows={30}
            styles={{ input: { fontFamily: "monospace" } }}
            value={shown.content}
          />
        </Dialog>
      )}
    </Page>
  );
}

interface VersionsProps {
  versions: EdgeTemplateVersion[];
  onShow?: (version: EdgeTemplateVersion) => void;
}

function Versions({ versions, onShow }: VersionsProps): ReactElement {
  const { t } = useTranslation("templates");
  const content: CardColumn<EdgeTemplateVersion> = {
    key: "actions",
    label: t("actions"),
    render: (one) => (
      <RowButton
        text={t("content")}
        label={t("contentOf", { number: one.number })}
        onClick={() => onShow?.(one)}
      />
    ),
  };
  return (
    <CardTable
      title={t("versions")}
      rows={versions}
      rowKey={(one) => String(one.number)}
      columns={[
        { key: "number", label: t("version"), render: (one) => one.number },
        {
          key: "parameters",
          label: t("parameters"),
          isLong: true,
          render: (one) => one.parameters.map(({ name }) => name).join(", ") || ABSENT,
        },
        { key: "note", label: t("note"), isLong: true, render: (one) => one.note },
        {
          key: "createdAt",
          label: t("field.createdAt"),
          render: (one) => formatTime(one.createdAt),
        },
        { key: "createdBy", label: t("by"), render: (one) => one.createdBy },
        ...(onShow === undefined ? [] : [content]),
      ]}
    />
  );
}

/** What each edge service shall have, beside what it says that it has. */
function Drift({ values }: { values: { org: string; project: string; template: string } }): ReactElement {
  const { t } = useTranslation("templates");
  const answer = useGet(`${TEMPLATE}/drift`, { path: values, every: REPORT_MS });
  return (
    <CardTable
      title={t("drift")}
      rows={answer.data?.items ?? []}
      rowKey={(row) => row.serviceId}
      {...(answer.data && { empty: { title: t("noDrift.title"), text: t("noDrift.text") } })}
      error={answer.error}
      onRetry={() => void answer.refetch()}
      columns={[
        {
          key: "edge",
          label: t("edge"),
          isLong: true,
          render: (row) => (
            <Anchor component={Link} to={edgePath(values, row.serviceId)} size="sm">
              {row.serviceName}
            </Anchor>
          ),
        },
        { key: "desired", label: t("desired"), render: (row) => row.number },
        { key: "reported", label: t("reported"), render: (row) => row.reported ?? ABSENT },
        {
          key: "state",
          label: t("field.state"),
          render: (row) => (
            <>
              <Word of="driftStates" state={row.state} />
              {row.state !== "same" && (
                <Text size="sm" c="dimmed">
                  {t(`driftMeaning.${row.state}`)}
                </Text>
              )}
            </>
          ),
        },
        { key: "presence", label: t("presence"), render: (row) => t(`presences.${row.presence}`) },
        {
          key: "reportedAt",
          label: t("reportedAt"),
          render: (row) => (row.reportedAt === null ? ABSENT : formatTime(row.reportedAt)),
        },
      ]}
    />
  );
}

function Deliveries({ template }: { template: string }): ReactElement {
  const { t } = useTranslation("templates");
  const place = usePlace();
  const counts = useCounts();
  return (
    <>
      <Title order={2} size="h5">
        {t("deliveries")}
      </Title>
      <ListTable<EdgeDeliveryRow>
        name="deliveries"
        label={t("deliveries")}
        path={DELIVERIES}
        pathValues={{ ...place }}
        query={{ template, order: "desc" }}
        every={REPORT_MS}
        columns={[
          {
            key: "createdAt",
            label: t("begun"),
            render: (row) => (
              <Anchor component={Link} to={deliveryPath(place, row.id)}>
                {formatTime(row.createdAt)}
              </Anchor>
            ),
          },
          {
            key: "number",
            label: t("version"),
            render: (row) =>
              row.rollbackOf === null ? row.number : t("rollbackOf", { number: row.number }),
          },
          {
            key: "state",
            label: t("field.state"),
            render: (row) => <Word of="deliveryStates" state={row.state} />,
          },
          { key: "counts", label: t("targets"), render: (row) => counts(row.counts) },
          { key: "createdBy", label: t("by") },
        ]}
        rowKey={(row) => row.id}
        empty={{ title: t("noDeliveries.title"), text: t("noDeliveries.text") }}
      />
    </>
  );
}
