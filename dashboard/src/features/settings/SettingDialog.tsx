import { Alert, Button, Code, JsonInput, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import type { Setting } from "@/api/shapes";
import { FormDialog } from "@/components/FormDialog";
import { putSettings } from "@/components/SettingsForm";
import { useAct } from "@/components/useAct";
import { nested } from "@/lib/changes";
import { formatAny } from "@/lib/format";
import { numberOrText } from "@/lib/schema";

interface SettingDialogProps {
  setting: Setting;
  onClose: () => void;
}

/** What was typed, as the value that it spells. */
function valueOf(text: string, isStructured: boolean): unknown {
  if (isStructured) return JSON.parse(text);
  if (text === "true" || text === "false") return text === "true";
  return numberOrText(text);
}

export function SettingDialog({ setting, onClose }: SettingDialogProps): ReactElement {
  const { t, i18n } = useTranslation("settings");
  const isStructured = typeof setting.value === "object" && setting.value !== null;
  const [text, setText] = useState(
    isStructured
      ? JSON.stringify(setting.value, null, 2)
      : formatAny(setting.value).replace("–", ""),
  );
  const root = setting.path.split(".")[0] ?? "";
  const reset = useAct({
    run: () =>
      call("post", "/configs_reset/{rootname}", {
        path: { rootname: root },
        query: { conf_path: setting.path.slice(root.length + 1) },
        parse: "text",
      }),
    refresh: ["/configs"],
    done: t("reset.done"),
  });
  const meaning =
    (i18n.language === "zh" ? setting.description_zh : undefined) ?? setting.description;
  return (
    <FormDialog
      title={t("change")}
      submit={t("save")}
      done={setting.hot ? t("holds") : t("waits")}
      refresh={["/configs"]}
      onSubmit={async () => putSettings(nested(setting.path, valueOf(text, isStructured)))}
      onClose={onClose}
    >
      <Code className="wrap">{setting.path}</Code>
      <Text size="sm">{meaning}</Text>
      <Text size="sm" c="dimmed">
        {t("default", { value: formatAny(setting.default) })}
      </Text>
      {isStructured ? (
        <JsonInput label={t("value")} autosize minRows={3} value={text} onChange={setText} />
      ) : (
        <TextInput
          label={t("value")}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
        />
      )}
      {!setting.hot && <Alert color="orange">{t("needsRestart")}</Alert>}
      <Text size="xs" c="dimmed">
        {t("survives")}
      </Text>
      {setting.source === "runtime" && (
        <Button
          variant="subtle"
          loading={reset.isBusy}
          onClick={() => void reset.act().then((isDone) => isDone && onClose())}
        >
          {t("reset.action")}
        </Button>
      )}
    </FormDialog>
  );
}
