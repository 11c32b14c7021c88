import { Anchor, Button, Card, Tabs, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation, useNavigate, useSearchParams } from "react-router";

import { useGet } from "@/api/hooks";
import { useMayChange } from "@/api/session";
import type { OutputState, RuleRow } from "@/api/shapes";
import { ErrorPanel } from "@/components/ErrorPanel";
import { EVERY_MS } from "@/components/integration/kinds";
import { Page } from "@/components/Page";
import { segmentOf } from "@/lib/segment";

import { FlowPicture } from "./FlowPicture";
import { RuleEditor } from "./RuleEditor";
import { RuleFigures } from "./RuleFigures";
import { startingSql } from "./sql";
import { useRemoveRule } from "./useRemoveRule";

const NEW = "new";

export default function RulePage(): ReactElement {
  const id = segmentOf(useLocation().pathname, 1);
  return id === NEW ? <NewRule /> : <OldRule key={id} id={id} />;
}

/** What the way here said is already chosen. */
function NewRule(): ReactElement {
  const { t } = useTranslation("rules");
  const navigate = useNavigate();
  const [parameters] = useSearchParams();
  const action = parameters.get("action");
  const start = {
    id: "",
    description: "",
    sql: startingSql(parameters.get("source")),
    enable: true,
    actions: action === null ? [] : [action],
  };
  return (
    <Page title={t("new.title")} help={t("new.help")} actions={<BackLink />}>
      <RuleEditor
        rule={null}
        start={start}
        onSaved={(id) => void navigate(`/rules/${encodeURIComponent(id)}`)}
      />
    </Page>
  );
}

function BackLink(): ReactElement {
  const { t } = useTranslation("rules");
  return (
    <Anchor component={Link} to="/rules">
      {t("back")}
    </Anchor>
  );
}

function OldRule({ id }: { id: string }): ReactElement {
  const { t } = useTranslation("rules");
  const navigate = useNavigate();
  const mayChange = useMayChange();
  const [parameters, setParameters] = useSearchParams();
  const answer = useGet("/rules/{id}", { path: { id }, every: EVERY_MS });
  const rule = answer.data;
  const remove = useRemoveRule();
  const tab = parameters.get("tab") ?? "flow";
  return (
    <Page
      title={id}
      help={rule?.description || t("detail.help")}
      actions={
        <>
          <BackLink />
          {mayChange && rule !== undefined && (
            <Button
              color="red"
              loading={remove.isBusy}
              onClick={() =>
                void remove.act(rule).then((isDone) => {
                  if (isDone) void navigate("/rules");
                })
              }
            >
              {t("remove.action")}
            </Button>
          )}
        </>
      }
    >
      <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
      {rule !== undefined && (
        <Tabs
          value={tab}
          keepMounted={false}
          onChange={(next) => setParameters(next === "edit" ? { tab: "edit" } : {}, { replace: true })}
        >
          <Tabs.List mb="md">
            <Tabs.Tab value="flow">{t("detail.flow")}</Tabs.Tab>
            <Tabs.Tab value="edit">{t(mayChange ? "detail.edit" : "detail.read")}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="flow">
            <Overview rule={rule} />
          </Tabs.Panel>
          <Tabs.Panel value="edit">
            <RuleEditor rule={rule} start={draftOf(rule)} onSaved={() => setParameters({})} />
          </Tabs.Panel>
        </Tabs>
      )}
    </Page>
  );
}

function draftOf(rule: RuleRow) {
  const { id, description = "", sql, enable, actions } = rule;
  return { id, description, sql, enable, actions };
}

/** Why nothing comes from a source that the rule selects from. */
function SilentSources({ details = [] }: { details: readonly OutputState[] | undefined }): ReactElement {
  const { i18n } = useTranslation();
  const reasonOf = (source: OutputState) =>
    (i18n.language === "zh" ? source.status_reason_zh : undefined) || source.status_reason;
  return (
    <>
      {details.filter(reasonOf).map((source) => (
        <Text key={source.id} size="sm" mt="sm" className="wrap" data-source={source.id}>
          {source.id}: {reasonOf(source)}
        </Text>
      ))}
    </>
  );
}

function Overview({ rule }: { rule: RuleRow }): ReactElement {
  const { t } = useTranslation("rules");
  const metrics = useGet("/rules/{id}/metrics", { path: { id: rule.id }, every: EVERY_MS });
  const figures = metrics.data?.metrics;
  return (
    <>
      <Card withBorder mb="md">
        <FlowPicture rule={rule} figures={figures} />
        <SilentSources details={rule.source_details} />
        {rule.actions.length === 0 && (
          <Text size="sm" mt="sm">
            {t("flow.noOutput")}{" "}
            <Anchor component={Link} to={`/rules/${encodeURIComponent(rule.id)}?tab=edit`} size="sm">
              {t("outputs.addOne")}
            </Anchor>
          </Text>
        )}
      </Card>
      <RuleFigures rule={rule} figures={figures} />
    </>
  );
}
