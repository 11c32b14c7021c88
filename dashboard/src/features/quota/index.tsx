import { Alert, Anchor, Button, Card, Group, Loader, NumberInput, Progress, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { useGet } from "@/api/hooks";
import { useMayChange } from "@/api/session";
import type { QuotaSetting } from "@/api/shapes";
import { ErrorPanel } from "@/components/ErrorPanel";
import { Page } from "@/components/Page";
import { useAct } from "@/components/useAct";
import { formatNumber } from "@/lib/format";

const EVERY_MS = 5000;
const PATH = "/license/setting";

export default function QuotaPage(): ReactElement {
  const { t } = useTranslation("quota");
  const license = useGet("/license", { every: EVERY_MS });
  const setting = useGet(PATH);
  const failure = license.error ?? setting.error;
  return (
    <Page title={t("title")} help={t("help")}>
      <ErrorPanel error={failure} onRetry={() => void setting.refetch()} />
      {setting.data === undefined && failure === null && <Loader aria-label={t("loading")} />}
      <ManagedBy manager={setting.data?.managed_by ?? null} />
      {setting.data !== undefined && (
        <div className="two-columns">
          <Usage used={license.data?.connections ?? 0} setting={setting.data} />
          <QuotaForm setting={setting.data} />
        </div>
      )}
    </Page>
  );
}

/** Who sets the quota from outside, and what that means for whoever sets it here. */
function ManagedBy({ manager }: { manager: QuotaSetting["managed_by"] }): ReactElement | null {
  const { t } = useTranslation("quota");
  if (manager === null) return null;
  const { name, url } = manager;
  return (
    <Alert title={t("managed.title", { name })}>
      <Text size="sm">{t("managed.text")}</Text>
      {url !== "" && (
        <Anchor href={url} target="_blank" rel="noreferrer" size="sm" className="wrap">
          {t("managed.open", { url })}
        </Anchor>
      )}
    </Alert>
  );
}

function Usage({ used, setting }: { used: number; setting: QuotaSetting }): ReactElement {
  const { t, i18n } = useTranslation("quota");
  const most = setting.dynamic_max_connections;
  const isBounded = typeof most === "number";
  const share = isBounded ? Math.min(100, (100 * used) / most) : 0;
  return (
    <Card withBorder>
      <Text size="sm" c="dimmed">
        {t("used")}
      </Text>
      <p className="tile-value">
        {formatNumber(used, i18n.language)}
        {" / "}
        {isBounded ? formatNumber(most, i18n.language) : t("unlimited")}
      </p>
      {isBounded && (
        <Progress
          value={share}
          aria-label={t("used")}
          color={share >= Number.parseFloat(setting.connection_high_watermark) ? "red" : "cyan"}
        />
      )}
      <Text size="sm" c="dimmed" mt="sm">
        {t("alarm", {
          high: setting.connection_high_watermark,
          low: setting.connection_low_watermark,
        })}
      </Text>
    </Card>
  );
}

function QuotaForm({ setting }: { setting: QuotaSetting }): ReactElement {
  const { t } = useTranslation("quota");
  const mayChange = useMayChange();
  const [draft, setDraft] = useState<Partial<QuotaSetting>>({});
  const shown = { ...setting, ...draft };
  const save = useAct({
    run: () => call("put", PATH, { body: draft }),
    refresh: ["/license", "/configs"],
    done: t("saved"),
  });
  const send = (event: FormEvent) => {
    event.preventDefault();
    void save.act().then((isDone) => isDone && setDraft({}));
  };
  const put = (change: Partial<QuotaSetting>) => setDraft({ ...draft, ...change });
  const isBounded = typeof shown.dynamic_max_connections === "number";
  return (
    <Card withBorder>
      <form onSubmit={send}>
        <fieldset disabled={!mayChange} className="plain-fieldset">
          <Stack gap="sm">
            <Switch
              label={t("bounded")}
              checked={isBounded}
              onChange={(event) =>
                put({ dynamic_max_connections: event.currentTarget.checked ? 10_000 : "infinity" })
              }
            />
            {isBounded && (
              <NumberInput
                label={t("most")}
                description={t("mostHelp")}
                min={1}
                allowDecimal={false}
                value={Number(shown.dynamic_max_connections)}
                onChange={(value) => put({ dynamic_max_connections: Number(value) })}
              />
            )}
            <TextInput
              label={t("high")}
              value={shown.connection_high_watermark}
              onChange={(event) => put({ connection_high_watermark: event.currentTarget.value })}
            />
            <TextInput
              label={t("low")}
              value={shown.connection_low_watermark}
              onChange={(event) => put({ connection_low_watermark: event.currentTarget.value })}
            />
            {mayChange && (
              <Group justify="flex-end">
                <Button
                  type="submit"
                  loading={save.isBusy}
                  disabled={Object.keys(draft).length === 0}
                >
                  {t("save")}
                </Button>
              </Group>
            )}
          </Stack>
        </fieldset>
      </form>
    </Card>
  );
}
