/** An alarm: what is known of it, whose it is, what was said about it. */
import { Button, Group, Select, Stack, Text, Textarea } from "@mantine/core";
import { useState } from "react";
import type { FormEvent, ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { Dialog } from "@/components/Dialog";
import { ErrorPanel } from "@/components/ErrorPanel";
import { KeyValues } from "@/components/KeyValues";
import { Loading } from "@/components/Loading";
import { useAct } from "@/components/useAct";
import { formatTime } from "@/lib/format";
import { call } from "@console/api/client";
import { useGet } from "@console/api/hooks";
import type { AlarmDetail } from "@console/api/shapes";
import { usePlace } from "@console/components/place";

import { ALARM, ALARMS } from "./paths";
import { SeverityBadge } from "./SeverityBadge";

interface AlarmDialogProps {
  id: string;
  mayChange: boolean;
  onClose: () => void;
}

export function AlarmDialog({ id, mayChange, onClose }: AlarmDialogProps): ReactElement {
  const { t } = useTranslation("alarms");
  const place = usePlace();
  const path = { ...place, alarm: id };
  const answer = useGet(ALARM, { path });
  const alarm = answer.data as AlarmDetail | undefined;
  return (
    <Dialog title={alarm?.name ?? t("details")} size="lg" onClose={onClose}>
      <Stack gap="md">
        {answer.isPending && <Loading />}
        <ErrorPanel error={answer.error} onRetry={() => void answer.refetch()} />
        {alarm !== undefined && (
          <>
            <Facts alarm={alarm} />
            {mayChange && <Actions alarm={alarm} />}
            <Comments alarm={alarm} mayChange={mayChange} />
          </>
        )}
      </Stack>
    </Dialog>
  );
}

function Facts({ alarm }: { alarm: AlarmDetail }): ReactElement {
  const { t } = useTranslation("alarms");
  const seen =
    alarm.acknowledgedAt === null
      ? t("nobody")
      : `${alarm.acknowledgedBy} · ${formatTime(alarm.acknowledgedAt)}`;
  const ended =
    alarm.endsAt === null
      ? t("goesOn")
      : [formatTime(alarm.endsAt), t(`endReasons.${alarm.endReason}`), alarm.endedBy]
          .filter((part) => part !== "")
          .join(" · ");
  return (
    <KeyValues
      rows={[
        [t("message"), alarm.message],
        [t("severity"), <SeverityBadge key="severity" severity={alarm.severity} />],
        [t("resource"), alarm.resourceName],
        [t("startsAt"), formatTime(alarm.startsAt)],
        [t("endsAt"), ended],
        [t("occurrences"), alarm.occurrences],
        [t("acknowledgedBy"), seen],
        [t("assignee"), alarm.assigneeName],
        [t("pushedAt"), formatTime(alarm.pushedAt)],
      ]}
    />
  );
}

function Actions({ alarm }: { alarm: AlarmDetail }): ReactElement {
  const { t } = useTranslation("alarms");
  const path = { ...usePlace(), alarm: alarm.id };
  const people = useGet(`${ALARM}/assignees`, { path });
  const isSeen = alarm.acknowledgedAt !== null;
  const acknowledge = useAct({
    run: () => call(isSeen ? "delete" : "post", `${ALARM}/acknowledge`, { path }),
    refresh: [ALARMS],
    done: t("saved"),
  });
  const assign = useAct<string | null>({
    run: (userId) => call("put", `${ALARM}/assignee`, { path, body: { userId } }),
    refresh: [ALARMS],
    done: t("saved"),
  });
  return (
    <Group align="flex-end">
      <Select
        label={t("assignee")}
        placeholder={t("nobody")}
        clearable
        clearButtonProps={{ "aria-label": t("clear") }}
        data={(people.data?.items ?? []).map(({ id, name, email }) => ({
          value: id,
          label: name || email,
        }))}
        value={alarm.assigneeId}
        onChange={(value) => void assign.act(value)}
      />
      <Button
        variant="default"
        loading={acknowledge.isBusy}
        onClick={() => void acknowledge.act(undefined)}
      >
        {t(isSeen ? "unacknowledge" : "acknowledge")}
      </Button>
    </Group>
  );
}

function Comments({ alarm, mayChange }: { alarm: AlarmDetail; mayChange: boolean }): ReactElement {
  const { t } = useTranslation("alarms");
  const path = { ...usePlace(), alarm: alarm.id };
  const [text, setText] = useState("");
  const say = useAct({
    run: () => call("post", `${ALARM}/comments`, { path, body: { text } }),
    refresh: [ALARMS],
    done: t("saved"),
  });
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (await say.act(undefined)) setText("");
  };
  return (
    <Stack gap="xs">
      <Text fw={600} size="sm">
        {t("comments")}
      </Text>
      {alarm.comments.length === 0 && (
        <Text size="sm" c="dimmed">
          {t("noComments")}
        </Text>
      )}
      {alarm.comments.map((comment) => (
        <div key={comment.id}>
          <Text size="xs" c="dimmed">
            {comment.author} · {formatTime(comment.at)}
          </Text>
          <Text size="sm" className="wrap">
            {comment.text}
          </Text>
        </div>
      ))}
      {mayChange && (
        <form onSubmit={(event) => void send(event)}>
          <Textarea
            aria-label={t("comment")}
            placeholder={t("comment")}
            autosize
            required
            maxLength={1000}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <Group justify="flex-end" mt="xs">
            <Button type="submit" size="xs" loading={say.isBusy} disabled={text.trim() === ""}>
              {t("addComment")}
            </Button>
          </Group>
        </form>
      )}
    </Stack>
  );
}
