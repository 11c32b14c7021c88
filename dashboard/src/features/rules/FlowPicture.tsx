/** The way of a message through a rule: where it comes from, what becomes of it, with states and counts. */
import { useMediaQuery } from "@mantine/hooks";
import type { ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";

import { useGet } from "@/api/hooks";
import type { Figures, OutputState, RuleOutput, RuleRow } from "@/api/shapes";
import { addressOf, EVERY_MS } from "@/components/integration/kinds";
import { formatNumber } from "@/lib/format";

import { BOX, fitted, narrowLayout, wideLayout, type Spot } from "./flow";
import { functionOf, isAction, stateOf, targetOf } from "./outputs";
import { isEvent, sourceIn } from "./sql";

interface FlowPictureProps {
  rule: RuleRow;
  figures: Figures | undefined;
}

export function FlowPicture({ rule, figures }: FlowPictureProps): ReactElement {
  const { t, i18n } = useTranslation("rules");
  const isNarrow = useMediaQuery("(max-width: 800px)") ?? false;
  const layoutOf = isNarrow ? narrowLayout : wideLayout;
  const layout = layoutOf(rule.from.length, rule.actions.length);
  const number = (key: string) => formatNumber(figures?.[key] ?? 0, i18n.language);
  return (
    <div className="flow-scroll" role="region" aria-label={t("flow.title")} tabIndex={0}>
      <svg
        className="flow"
        viewBox={`-1 -1 ${layout.width + 2} ${layout.height + 2}`}
        width={layout.width + 2}
        height={layout.height + 2}
      >
        <defs>
          <marker id="flow-end" viewBox="0 0 8 8" refX="1" refY="4" markerWidth="7" markerHeight="7" orient="auto">
            <path d="M0 0L8 4L0 8z" className="flow-arrow" />
          </marker>
        </defs>
        <g aria-hidden="true">
          {layout.lines.map((line) => (
            <path key={line} d={line} className="flow-line" markerEnd="url(#flow-end)" />
          ))}
        </g>
        {rule.from.map((from, index) => {
          const spot = layout.sources[index];
          return spot === undefined ? null : (
            <SourceBox key={from} from={from} spot={spot} details={rule.source_details} />
          );
        })}
        <Box
          spot={layout.rule}
          kind={t("flow.rule")}
          name={rule.id}
          state={rule.enable ? "enabled" : "disabled"}
          counts={t("flow.ruleCounts", {
            matched: number("matched"),
            passed: number("passed"),
            failed: number("failed"),
          })}
        />
        {rule.actions.map((output, index) => {
          const spot = layout.outputs[index];
          const state = stateOf(output, rule.action_details);
          return spot === undefined ? null : (
            <OutputBox key={index} output={output} spot={spot} state={state} />
          );
        })}
      </svg>
    </div>
  );
}

interface SourceBoxProps {
  from: string;
  spot: Spot;
  details: readonly OutputState[] | undefined;
}

function SourceBox({ from, spot, details }: SourceBoxProps): ReactElement {
  const { t } = useTranslation("rules");
  const source = sourceIn(from);
  const kind = source !== undefined ? "source" : isEvent(from) ? "event" : "filter";
  const state = details?.find(({ id }) => id === source);
  return (
    <Box
      spot={spot}
      kind={t(`flow.${kind}`)}
      name={from}
      {...(source !== undefined && { to: addressOf("sources", source) })}
      {...(state !== undefined && {
        state: state.enable === false ? "disabled" : (state.status ?? "connecting"),
      })}
    />
  );
}

interface OutputBoxProps {
  output: RuleOutput;
  spot: Spot;
  state: OutputState | undefined;
}

function OutputBox({ output, spot, state }: OutputBoxProps): ReactElement {
  const { t, i18n } = useTranslation("rules");
  const id = isAction(output) ? output : "";
  const metrics = useGet("/actions/{id}/metrics", {
    path: { id },
    enabled: id !== "",
    every: EVERY_MS,
  });
  const figures = metrics.data?.metrics;
  const number = (key: string) => formatNumber(figures?.[key] ?? 0, i18n.language);
  return (
    <Box
      spot={spot}
      kind={t(`outputs.kind.${functionOf(output)}`)}
      name={targetOf(output) || t("outputs.log")}
      {...(id !== "" && { to: addressOf("actions", id) })}
      {...(state !== undefined && {
        state: state.enable === false ? "disabled" : (state.status ?? "connecting"),
      })}
      {...(id !== "" && {
        counts: t("flow.actionCounts", {
          success: number("success"),
          failed: number("failed"),
          waiting: formatNumber(
            (figures?.["queuing"] ?? 0) + (figures?.["inflight"] ?? 0),
            i18n.language,
          ),
        }),
      })}
    />
  );
}

interface BoxProps {
  spot: Spot;
  kind: string;
  name: string;
  state?: string;
  counts?: string;
  /** The page about it. */
  to?: string;
}

function Box({ spot, kind, name, state, counts, to }: BoxProps): ReactElement {
  const { t, i18n } = useTranslation();
  const words =
    state === undefined ? "" : i18n.exists(`state.${state}`, { ns: "common" }) ? t(`state.${state}`) : state;
  const inside = (
    <>
      <title>{[kind, name, words, counts].filter(Boolean).join(", ")}</title>
      <rect width={BOX.width} height={BOX.height} rx={8} className="flow-box" />
      <text x={14} y={23} className="flow-kind">
        {kind}
      </text>
      {state !== undefined && (
        <text x={BOX.width - 14} y={23} textAnchor="end" className="flow-state" data-state={state}>
          {words}
        </text>
      )}
      <text x={14} y={46} className="flow-name">
        {fitted(name)}
      </text>
      {counts !== undefined && (
        <text x={14} y={69} className="flow-counts">
          {counts}
        </text>
      )}
    </>
  );
  return (
    <g transform={`translate(${spot.x} ${spot.y})`}>
      {to === undefined ? inside : <Link to={to} className="flow-link">{inside}</Link>}
    </g>
  );
}
