import { Button, Group, Select, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useMayChange } from "@/api/session";
import type { LogLevel } from "@/api/shapes";
import { DataTable } from "@/components/DataTable";
import { RowButton } from "@/components/RowButtons";
import { useAct } from "@/components/useAct";

const ONE = "/log/levels/{module}";
const LEVELS = ["debug", "info", "notice", "warning", "error", "critical"] as const;

/** Modules of which more, or less, is logged for as long as the node runs. */
export function LogLevels(): ReactElement {
  const { t } = useTranslation("trace");
  const mayChange = useMayChange();
  const [module, setModule] = useState("");
  const [level, setLevel] = useState("debug");
  const refresh = ["/log/levels"];
  const put = useAct({
    run: () => call("put", ONE, { path: { module }, body: { level } }),
    refresh,
    done: t("level.done"),
  });
  const remove = useAct<string>({
    run: (name) => call("delete", ONE, { path: { module: name } }),
    refresh,
    done: t("level.removed"),
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    void put.act().then((isDone) => isDone && setModule(""));
  };
  return (
    <>
      <Text size="sm" c="dimmed" mb="sm">
        {t("level.help")}
      </Text>
      {mayChange && (
        <form onSubmit={send}>
          <Group align="flex-end" mb="md">
            <TextInput
              label={t("level.module")}
              required
              value={module}
              onChange={(event) => setModule(event.currentTarget.value)}
            />
            <Select
              label={t("level.level")}
              data={[...LEVELS]}
              value={level}
              allowDeselect={false}
              onChange={(value) => setLevel(value ?? "debug")}
            />
            <Button type="submit" loading={put.isBusy}>
              {t("level.set")}
            </Button>
          </Group>
        </form>
      )}
      <DataTable<LogLevel>
        label={t("levels")}
        path="/log/levels"
        name="levels"
        filters={[{ name: "like_module", label: t("level.module") }]}
        columns={[
          { key: "module", label: t("level.module") },
          { key: "level", label: t("level.level") },
        ]}
        rowKey={(row) => row.module}
        empty={{ title: t("level.empty.title"), text: t("level.empty.text") }}
        {...(mayChange && {
          actions: (row: LogLevel) => (
            <RowButton
              text={t("delete")}
              label={t("deleteOne", { name: row.module })}
              onClick={() => void remove.act(row.module)}
            />
          ),
        })}
      />
    </>
  );
}
