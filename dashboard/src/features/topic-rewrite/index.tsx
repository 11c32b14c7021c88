import { Button, Code } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { useMayChange } from "@/api/session";
import type { RewriteRule } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { Page } from "@/components/Page";
import { EditDelete, MoveButtons } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { useWholeList } from "@/components/useWholeList";
import { moved } from "@/lib/order";

import { RuleDialog } from "./RuleDialog";

const PATH = "/mqtt/topic_rewrite";
const REFRESH = [PATH, "/configs"];

export default function TopicRewritePage(): ReactElement {
  const { t } = useTranslation("topicRewrite");
  const mayChange = useMayChange();
  const { rows, put, replace } = useWholeList<RewriteRule>(PATH);
  const [edited, setEdited] = useState<RewriteRule | "new" | null>(null);
  const order = useAct<readonly RewriteRule[]>({ run: replace, refresh: REFRESH, done: t("moved") });
  const remove = useAct<RewriteRule>({
    run: (rule) => replace(rows.filter((each) => each !== rule)),
    refresh: REFRESH,
    done: t("deleted"),
    ask: (rule) => ({
      title: t("remove.title"),
      text: t("remove.text", { topic: rule.source_topic }),
      action: t("delete"),
    }),
  });
  return (
    <Page
      title={t("title")}
      help={t("help")}
      actions={mayChange && <Button onClick={() => setEdited("new")}>{t("add")}</Button>}
    >
      <DataTable<RewriteRule>
        label={t("title")}
        path={PATH}
        isOrdered
        columns={[
          { key: "action", label: t("action"), render: (rule) => t(`of.${rule.action}`) },
          { key: "source_topic", label: t("source") },
          {
            key: "re",
            label: t("expression"),
            render: (rule) => <Code className="cell-text">{rule.re}</Code>,
          },
          { key: "dest_topic", label: t("result") },
        ]}
        // The same rule may stand there twice.
        rowKey={(_rule, index) => String(index)}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
        {...(mayChange && {
          actions: (rule: RewriteRule) => (
            <>
              <MoveButtons
                name={rule.source_topic}
                index={rows.indexOf(rule)}
                count={rows.length}
                onMove={(to) => void order.act(moved(rows, rows.indexOf(rule), to))}
              />
              <EditDelete
                name={rule.source_topic}
                onEdit={() => setEdited(rule)}
                onDelete={() => void remove.act(rule)}
              />
            </>
          ),
        })}
      />
      {edited !== null && (
        <RuleDialog
          rule={edited === "new" ? null : edited}
          refresh={REFRESH}
          onSave={(rule) => put(rule, edited === "new" ? null : edited)}
          onClose={() => setEdited(null)}
        />
      )}
    </Page>
  );
}
