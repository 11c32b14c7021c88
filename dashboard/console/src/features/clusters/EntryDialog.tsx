import { TagsInput, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";

import { FormDialog } from "@/components/FormDialog";
import { call } from "@console/api/client";
import type { ClusterRow } from "@console/api/shapes";
import type { Place } from "@console/components/place";

import { CLUSTER, CLUSTERS, REFRESH } from "./paths";

const NAME_MAX = 200;

interface EntryDialogProps {
  place: Place;
  /** Null makes a new entry. */
  cluster: ClusterRow | null;
  onClose: () => void;
}

/** The entry that a cluster is adopted through: its name, and where its dashboard is. */
export function EntryDialog({ place, cluster, onClose }: EntryDialogProps): ReactElement {
  const { t } = useTranslation("clusters");
  const [name, setName] = useState(cluster?.name ?? "");
  const [address, setAddress] = useState(cluster?.address ?? "");
  const [description, setDescription] = useState(cluster?.description ?? "");
  const [labels, setLabels] = useState<string[]>(cluster?.labels ?? []);
  const send = () => {
    const body = { name: name.trim(), address: address.trim(), description, labels };
    return cluster === null
      ? call("post", CLUSTERS, { path: { ...place }, body })
      : call("put", CLUSTER, { path: { ...place, cluster: cluster.id }, body });
  };
  return (
    <FormDialog
      title={cluster === null ? t("adopt") : t("editOne", { name: cluster.name })}
      submit={cluster === null ? t("create") : t("save")}
      done={cluster === null ? t("entryMade") : t("saved")}
      refresh={REFRESH}
      onSubmit={send}
      onClose={onClose}
    >
      <TextInput
        label={t("clusterName")}
        description={t("clusterNameHelp")}
        required
        maxLength={NAME_MAX}
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <TextInput
        label={t("clusterAddress")}
        description={t("clusterAddressHelp")}
        placeholder="http://192.168.1.10:18083"
        type="url"
        value={address}
        onChange={(event) => setAddress(event.currentTarget.value)}
      />
      <TextInput
        label={t("field.description")}
        value={description}
        onChange={(event) => setDescription(event.currentTarget.value)}
      />
      <TagsInput
        label={t("labels")}
        description={t("labelsHelp")}
        value={labels}
        onChange={setLabels}
        clearable={false}
      />
    </FormDialog>
  );
}
