import { Anchor, Badge, Breadcrumbs, Button, Group, Text } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { generatePath, Link, useParams } from "react-router";

import { Page } from "@/components/Page";
import { EditDelete } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";
import { call } from "@edge/api/client";
import { useGet } from "@edge/api/hooks";
import { useMe } from "@edge/api/me";
import type { Tag } from "@edge/api/shapes";
import { useNode } from "@edge/components/nodes";
import { RowsTable } from "@edge/components/RowsTable";

import { BrowseDialog } from "./BrowseDialog";
import { ATTRIBUTES, NEW_TAG, typeName } from "./kinds";
import { TagDialog } from "./TagDialog";

/** The tags of a group. */
export default function TagsPage(): ReactElement {
  const { t } = useTranslation("tags");
  const { node = "", group = "" } = useParams();
  const { isAdmin } = useMe();
  const plugin = useNode(node)?.plugin;
  const plugins = useGet("/neuron/plugin").data?.plugins;
  const canBrowse = plugins?.find(({ name }) => name === plugin)?.can_browse === true;
  const [edited, setEdited] = useState<{ tag: Tag; isNew: boolean } | null>(null);
  const [isBrowsing, setBrowsing] = useState(false);
  const list = useGet("/neuron/tags", { query: { node, group } });
  const remove = useAct<Tag[]>({
    run: (tags) =>
      call("delete", "/neuron/tags", { body: { node, group, tags: tags.map(({ name }) => name) } }),
    refresh: ["/neuron/"],
    done: t("deleted"),
    ask: (tags) => ({
      title: t("removeTags.title"),
      text: t("removeTags.text", { names: tags.map(({ name }) => name).join(", ") }),
      action: t("delete"),
    }),
  });
  const addNew = () => setEdited({ tag: NEW_TAG, isNew: true });
  const add = isAdmin ? <Button onClick={addNew}>{t("addTag")}</Button> : undefined;
  return (
    <Page title={group} actions={add}>
      <Breadcrumbs>
        <Anchor component={Link} to="/" size="sm">
          {t("drivers")}
        </Anchor>
        <Anchor component={Link} to={generatePath("/drivers/:node", { node })} size="sm">
          {node}
        </Anchor>
        <Text size="sm">{group}</Text>
      </Breadcrumbs>
      <RowsTable<Tag>
        label={t("tags")}
        rows={list.data?.tags as Tag[] | undefined}
        error={list.error}
        isFetching={list.isFetching}
        onRefresh={() => void list.refetch()}
        columns={[
          { key: "name", label: t("field.name") },
          { key: "address", label: t("address") },
          { key: "type", label: t("field.type"), render: (tag) => typeName(tag.type) },
          { key: "attribute", label: t("attribute"), render: (tag) => <Attributes value={tag.attribute} /> },
          { key: "unit", label: t("unit") },
          { key: "description", label: t("field.description") },
        ]}
        rowKey={(tag) => tag.name}
        empty={{ title: t("noTags.title"), text: t("noTags.text"), action: add }}
        {...(canBrowse &&
          isAdmin && {
            tools: (
              <Button variant="default" onClick={() => setBrowsing(true)}>
                {t("browse")}
              </Button>
            ),
          })}
        {...(isAdmin && {
          bulk: { label: t("delete"), run: remove.act },
          actions: (tag: Tag) => (
            <EditDelete
              name={tag.name}
              onEdit={() => setEdited({ tag, isNew: false })}
              onDelete={() => void remove.act([tag])}
            />
          ),
        })}
      />
      {edited !== null && (
        <TagDialog node={node} group={group} {...edited} onClose={() => setEdited(null)} />
      )}
      {isBrowsing && <BrowseDialog node={node} group={group} onClose={() => setBrowsing(false)} />}
    </Page>
  );
}

function Attributes({ value }: { value: number }): ReactElement {
  const { t } = useTranslation("tags");
  const held = Object.entries(ATTRIBUTES).filter(([, bit]) => (value & bit) !== 0);
  return (
    <Group gap={4}>
      {held.map(([name]) => (
        <Badge key={name} variant="light" color="gray" tt="none">
          {t(`attributes.${name}`)}
        </Badge>
      ))}
    </Group>
  );
}
