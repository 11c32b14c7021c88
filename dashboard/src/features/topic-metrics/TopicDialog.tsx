import { TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { call } from "@/api/client";
import { FormDialog } from "@/components/FormDialog";

export function TopicDialog({ onClose }: { onClose: () => void }): ReactElement {
  const { t } = useTranslation("topicMetrics");
  const [topic, setTopic] = useState("");
  return (
    <FormDialog
      title={t("add.title")}
      submit={t("add.action")}
      done={t("add.done")}
      refresh={["/mqtt/topic_metrics"]}
      onSubmit={() => call("post", "/mqtt/topic_metrics", { body: { topic } })}
      onClose={onClose}
    >
      <TextInput
        label={t("field.topic")}
        description={t("add.help")}
        required
        value={topic}
        onChange={(event) => setTopic(event.currentTarget.value)}
      />
    </FormDialog>
  );
}
