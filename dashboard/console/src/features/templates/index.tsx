/** The templates of a project: configuration for edge services, in versions. */
import { Anchor, Button } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { Page } from "@/components/Page";
import { RowButton } from "@/components/RowButtons";
import { formatTime } from "@/lib/format";
import { useRights } from "@console/api/roles";
import type { EdgeTemplateRow } from "@console/api/shapes";
import { ListTable } from "@console/components/ListTable";
import { usePlace } from "@console/components/place";
import { useGoTo } from "@console/components/useGoTo";

import { TEMPLATES, deliverPath, templatePath } from "./paths";
import { TemplateDialog } from "./TemplateDialog";

export default function TemplatesPage(): ReactElement {
  const { t } = useTranslation("templates");
  const place = usePlace();
  const goTo = useGoTo();
  const mayChange = useRights().isProjectAdmin(place.org, place.project);
  const [isAdding, setAdding] = useState(false);
  const add = mayChange ? <Button onClick={() => setAdding(true)}>{t("add")}</Button> : undefined;
  return (
    <Page title={t("title")} help={t("help")} actions={add}>
      <ListTable<EdgeTemplateRow>
        key={place.project}
        label={t("title")}
        path={TEMPLATES}
        pathValues={{ ...place }}
        filters={[{ name: "search", label: t("find") }]}
        sorts={["name", "createdAt", "changedAt"]}
        columns={[
          {
            key: "name",
            label: t("field.name"),
            render: (row) => (
              <Anchor component={Link} to={templatePath(place, row.id)}>
                {row.name}
              </Anchor>
            ),
          },
          { key: "description", label: t("field.description") },
          { key: "newest", label: t("newest"), isNumber: true },
          { key: "changedAt", label: t("changedAt"), render: (row) => formatTime(row.changedAt) },
        ]}
        rowKey={(row) => row.id}
        empty={{ title: t("empty.title"), text: t("empty.text"), action: add }}
        {...(mayChange && {
          actions: (row: EdgeTemplateRow) => (
            <RowButton
              text={t("deliver")}
              label={t("deliverOne", { name: row.name })}
              onClick={() => goTo(deliverPath(place, row.id))}
            />
          ),
        })}
      />
      {isAdding && (
        <TemplateDialog
          onClose={() => setAdding(false)}
          onMade={(id) => goTo(templatePath(place, id))}
        />
      )}
    </Page>
  );
}
