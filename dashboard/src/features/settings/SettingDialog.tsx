import { Alert, Button, Code, JsonInput, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "@/lib/apiError";
import { putSettings, resetSetting } from "@/api/settings";
import type { Setting } from "@/api/shapes";
import { FormDialog } from "@/components/FormDialog";
import { useAct } from "@/components/useAct";
import { nested } from "@/lib/changes";
import { formatAny } from "@/lib/format";
import { numberOrText } from "@/lib/schema";

interface SettingDialogProps {
  setting: Setting;
  onClose: () => void;
}

/**
 * What was typed, as the value that it spells.
 *
 * @throws ApiError it should be JSON and is none.
 */
function valueOf(text: string, isStructured: boolean): unknown {
  if (isStructured) return ofJson(text);
  if (text === "true" || text === "false") return text === "true";
  return numberOrText(text);
}

function ofJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ApiError(-1, "NOT_JSON", error instanceof Error ? error.message : String(error));
  }
}

export function SettingDialog({ setting, onClose }: SettingDialogProps): ReactElement {
  const { t, i18n } = useTranslation("settings");
  const isStructured = typeof setting.value === "object" && setting.value !== null;
  const [text, setText] = useState(
    isStructured
      ? JSON.stringify(setting.value, null, 2)
      : formatAny(setting.value).replace("–", ""),
  );
  const reset = useAct({
    run: () => resetSetting(setting.path),
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
