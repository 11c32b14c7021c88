/** The edge services that are meant, and the values of each: a row for all of them, then one for each. */
import { Card, Checkbox, Table, Text, TextInput, Title } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { EmptyState } from "@/components/EmptyState";

import type { Parameter } from "./paths";

export type OfEdges = Record<string, Record<string, string>>;

interface ValuesProps {
  edges: readonly { id: string; name: string; presence: string }[];
  /** Those that are not meant after all. */
  left: ReadonlySet<string>;
  parameters: readonly Parameter[];
  defaults: Record<string, string>;
  own: OfEdges;
  onLeft: (left: ReadonlySet<string>) => void;
  onDefaults: (values: Record<string, string>) => void;
  onOwn: (values: OfEdges) => void;
}

export function Values(props: ValuesProps): ReactElement {
  const { t } = useTranslation("templates");
  const { edges, left, parameters, defaults, own } = props;
  const flip = (id: string, isMeant: boolean) => {
    const changed = new Set(left);
    if (isMeant) changed.delete(id);
    else changed.add(id);
    props.onLeft(changed);
  };
  const cell = (one: Parameter, edge?: { id: string; name: string }) => {
    const values = edge === undefined ? defaults : (own[edge.id] ?? {});
    const usual = edge === undefined ? "" : (defaults[one.name] ?? "");
    const set = (value: string) => {
      if (edge === undefined) props.onDefaults({ ...defaults, [one.name]: value });
      else props.onOwn({ ...own, [edge.id]: { ...values, [one.name]: value } });
    };
    return (
      <Table.Td key={one.name}>
        <TextInput
          size="xs"
          type={one.isSecret ? "password" : "text"}
          autoComplete="off"
          aria-label={t("valueOf", { name: one.name, edge: edge?.name ?? t("forAll") })}
          placeholder={one.isSecret ? "" : usual || (one.default ?? "")}
          value={values[one.name] ?? ""}
          onChange={(event) => set(event.currentTarget.value)}
        />
      </Table.Td>
    );
  };
  return (
    <Card withBorder padding={0}>
      <Title order={2} size="h5" p="md">
        {t("targets")}
      </Title>
      {edges.length === 0 ? (
        <EmptyState title={t("nobody.title")} text={t("nobody.text")} />
      ) : (
        <div className="table-scroll" role="region" aria-label={t("targets")} tabIndex={0}>
          <Table>
            <caption className="hidden-text">{t("targets")}</caption>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t("edge")}</Table.Th>
                <Table.Th>{t("presence")}</Table.Th>
                {parameters.map(({ name }) => (
                  <Table.Th key={name}>{name}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {parameters.length > 0 && (
                <Table.Tr>
                  <Table.Td colSpan={2}>
                    <Text size="sm" fw={500}>
                      {t("forAll")}
                    </Text>
                  </Table.Td>
                  {parameters.map((one) => cell(one))}
                </Table.Tr>
              )}
              {edges.map((edge) => (
                <Table.Tr key={edge.id}>
                  <Table.Td>
                    <Checkbox
                      label={edge.name}
                      checked={!left.has(edge.id)}
                      onChange={(event) => flip(edge.id, event.currentTarget.checked)}
                    />
                  </Table.Td>
                  <Table.Td>{t(`presences.${edge.presence}`)}</Table.Td>
                  {parameters.map((one) => cell(one, edge))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
    </Card>
  );
}
