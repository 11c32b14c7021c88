/** Agent access: every edge service that dialed in, adopted or not. */
import { Anchor, Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { formatDuration } from "@/lib/format";
import { call } from "@console/api/client";
import { useRights } from "@console/api/roles";
import type { EdgeAgentRow } from "@console/api/shapes";
import { EDGE_AGENT, EDGE_AGENTS, EDGE_REFRESH, EVERY_MS, edgePath } from "@console/components/edgePaths";
import { ListTable } from "@console/components/ListTable";

import { AdoptDialog } from "./AdoptDialog";
import { AgentBadge } from "./AgentBadge";
import { BulkDialog } from "./BulkDialog";
import { EnrolmentNote, HowToConnect } from "./Enrolment";
import { RejectDialog } from "./RejectDialog";

const STATES = ["pending", "managed", "rejected"] as const;
const PRESENCES = ["online", "offline"] as const;
const SORTS = ["shortId", "description", "state", "enrolledAt", "lastReportAt"] as const;

type Open =
  | { kind: "adopt" | "reject"; agent: EdgeAgentRow }
  | { kind: "bulk"; agents: EdgeAgentRow[]; onEnd: (isDone: boolean) => void };

export default function AgentAccessPage(): ReactElement {
  const { t, i18n } = useTranslation("edgeAgents");
  const rights = useRights();
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const mayChange = rights.isProjectAdmin();
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={
        rights.isSystemAdmin && (
          <Button component={Link} to="/agents/rules" variant="default">
            {t("rules.title")}
          </Button>
        )
      }
    >
      {mayChange && <EnrolmentNote />}
      <ListTable<EdgeAgentRow>
        label={t("title")}
        path={EDGE_AGENTS}
        every={EVERY_MS}
        filters={[
          { name: "search", label: t("find") },
          {
            name: "state",
            label: t("field.state"),
            options: STATES.map((state) => ({ value: state, label: t(`states.${state}`) })),
          },
          {
            name: "presence",
            label: t("presence"),
            options: PRESENCES.map((word) => ({ value: word, label: t(`presences.${word}`) })),
          },
        ]}
        sorts={SORTS}
        columns={[
          { key: "shortId", label: t("shortId") },
          { key: "kind", label: t("field.type"), render: (row) => t(`kinds.${row.kind}`) },
          { key: "state", label: t("field.state"), render: (row) => <AgentBadge agent={row} /> },
          { key: "description", label: t("field.description") },
          { key: "hostName", label: t("hostName") },
          { key: "version", label: t("version") },
          {
            key: "lastReportAt",
            label: t("lastReport"),
            render: (row) =>
              typeof row.reportAgeMs === "number"
                ? t("ago", { time: formatDuration(row.reportAgeMs, i18n.language) })
                : t("noReport"),
          },
          { key: "orgName", label: t("organization") },
          { key: "projectName", label: t("project") },
          { key: "serviceName", label: t("service"), render: (row) => <ServiceLink agent={row} /> },
        ]}
        rowKey={(row) => row.id}
        empty={{
          title: t("empty.title"),
          text: t("empty.text"),
          action: mayChange ? <HowToConnect /> : undefined,
        }}
        {...(mayChange && {
          bulk: {
            label: t("adoptSeveral"),
            isHarmless: true,
            run: (rows: EdgeAgentRow[]) =>
              new Promise<boolean>((onEnd) => setOpen({ kind: "bulk", agents: rows, onEnd })),
          },
          actions: (row: EdgeAgentRow) => (
            <AgentActions agent={row} onOpen={(kind) => setOpen({ kind, agent: row })} />
          ),
        })}
      />
      {open?.kind === "adopt" && <AdoptDialog agent={open.agent} onClose={close} />}
      {open?.kind === "reject" && <RejectDialog agent={open.agent} onClose={close} />}
      {open?.kind === "bulk" && (
        <BulkDialog
          agents={open.agents}
          onClose={(isDone) => {
            open.onEnd(isDone);
            close();
          }}
        />
      )}
    </Page>
  );
}

function ServiceLink({ agent }: { agent: EdgeAgentRow }): ReactElement | null {
  const { orgId, projectId, serviceId, serviceName } = agent;
  if (!orgId || !projectId || !serviceId) return null;
  const place = { org: orgId, project: projectId };
  return (
    <Anchor component={Link} to={edgePath(place, serviceId)}>
      {serviceName}
    </Anchor>
  );
}

interface AgentActionsProps {
  agent: EdgeAgentRow;
  onOpen: (kind: "adopt" | "reject") => void;
}

function AgentActions({ agent, onOpen }: AgentActionsProps): ReactElement {
  const { t } = useTranslation("edgeAgents");
  const name = agent.shortId;
  const path = { agent: agent.id };
  const remove = useAct({
    run: () => call("delete", EDGE_AGENT, { path }),
    refresh: EDGE_REFRESH,
    done: t("deleted"),
    ask: () => ({ title: t("deleteOne", { name }), text: t("deleteText"), action: t("delete") }),
  });
  const readmit = useAct({
    run: () => call("post", `${EDGE_AGENT}/readmit`, { path }),
    refresh: EDGE_REFRESH,
    done: t("readmitted"),
  });
  return (
    <>
      {agent.state === "pending" && (
        <>
          <RowButton
            text={t("adopt")}
            label={t("adoptOne", { name })}
            onClick={() => onOpen("adopt")}
          />
          <RowButton
            text={t("reject")}
            label={t("rejectOne", { name })}
            onClick={() => onOpen("reject")}
          />
        </>
      )}
      {agent.state === "rejected" && (
        <RowButton
          text={t("readmit")}
          label={t("readmitOne", { name })}
          onClick={() => void readmit.act()}
        />
      )}
      <RowButton
        text={t("delete")}
        label={t("deleteOne", { name })}
        isDanger
        // The edge service is un-adopted first.
        disabled={agent.state === "managed"}
        onClick={() => void remove.act()}
      />
    </>
  );
}
