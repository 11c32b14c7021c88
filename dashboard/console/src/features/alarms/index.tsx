/** The alarms of a project: what is wrong, what was, who is told. */
import { Alert, Button, Group, Tabs, Text } from "@mantine/core";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate, useParams } from "react-router";

import { Page } from "@/components/Page";
import { useAct } from "@/components/useAct";
import { formatTime } from "@/lib/format";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import { useRights } from "@console/api/roles";
import { usePlace } from "@console/components/place";

import { AlarmList } from "./AlarmList";
import { ChannelsTab } from "./ChannelsTab";
import { DeliveriesTab } from "./DeliveriesTab";
import { ALARMS, SUMMARY } from "./paths";
import { RulesTab } from "./RulesTab";
import { SettingsTab } from "./SettingsTab";
import { alarmsPath, TABS, tabOf, type Tab } from "./tabs";

export default function AlarmsPage(): ReactElement {
  const { t } = useTranslation("alarms");
  const place = usePlace();
  const navigate = useNavigate();
  const tab = tabOf(useParams()["tab"]);
  const rights = useRights();
  const mayChange = rights.isProjectAdmin(place.org, place.project);
  return (
    <Page title={t("title")} help={t("help")}>
      <Notices mayChange={mayChange} />
      <Tabs
        value={tab}
        onChange={(next) => void navigate(alarmsPath(place, tabOf(next ?? undefined)))}
        keepMounted={false}
      >
        <Tabs.List mb="md" aria-label={t("title")}>
          {TABS.map((each) => (
            <Tabs.Tab key={each} value={each}>
              {t(`tabs.${each}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value={tab}>
          {/* What was asked of one project means nothing in another. */}
          <Content key={place.project} tab={tab} mayChange={mayChange} />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Content({ tab, mayChange }: { tab: Tab; mayChange: boolean }): ReactElement {
  switch (tab) {
    case "current":
    case "history":
      return <AlarmList key={tab} state={tab} mayChange={mayChange} />;
    case "settings":
      return <SettingsTab mayChange={mayChange} />;
    case "rules":
      return <RulesTab mayChange={mayChange} />;
    case "push":
      return <ChannelsTab mayChange={mayChange} />;
    case "log":
      return <DeliveriesTab mayChange={mayChange} />;
  }
}

/** What has to be known before anything else: a storm, or that nobody looks at all. */
function Notices({ mayChange }: { mayChange: boolean }): ReactElement | null {
  const { t } = useTranslation("alarms");
  const place = usePlace();
  const { data } = useGet(SUMMARY, { path: { ...place } });
  const clear = useAct({
    run: () => call("post", `${ALARMS}/clear-storm`, { path: { ...place } }),
    refresh: [ALARMS],
    done: t("storm.cleared"),
  });
  if (data === undefined) return null;
  return (
    <>
      {data.stormAt !== null && (
        <Alert color="red" title={t("storm.title")}>
          <Group justify="space-between">
            <Text size="sm">{t("storm.text", { time: formatTime(data.stormAt) })}</Text>
            {mayChange && (
              <Button
                color="red"
                size="xs"
                loading={clear.isBusy}
                onClick={() => void clear.act(undefined)}
              >
                {t("storm.clear")}
              </Button>
            )}
          </Group>
        </Alert>
      )}
      {!data.isEnabled && <Alert color="orange">{t("switchedOff")}</Alert>}
    </>
  );
}
