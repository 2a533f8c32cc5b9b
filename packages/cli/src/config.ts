import type { NodeOptions } from '@foundation/core';
import {
  effectiveConfiguration,
  environmentName,
  redacted,
  settings,
  shownValue,
  type SettingsFrom,
} from '@foundation/core/internal';

import { table } from './table.ts';

/** One setting as it is in effect. */
export interface SettingView {
  readonly setting: string;
  /** Undefined when nobody has set it; then `origin` says what holds. */
  readonly value: unknown;
  readonly origin: string;
  readonly variable: string;
}

/** Every setting, its value and where that comes from; secrets are not shown. */
export async function viewConfig(
  options: NodeOptions,
  from: SettingsFrom,
): Promise<{ readonly settings: readonly SettingView[] }> {
  const found = await effectiveConfiguration(options, from);
  const views = settings.map((setting): SettingView => {
    const effective = found.get(setting.path);
    const { otherwise, path } = setting;
    return {
      setting: path,
      value: effective && redacted(setting, effective.value),
      origin: effective?.origin ?? (otherwise === undefined ? 'not set' : `default: ${otherwise}`),
      variable: environmentName(setting),
    };
  });
  return { settings: views };
}

export function printConfig(view: { readonly settings: readonly SettingView[] }): string {
  return table(view.settings, {
    setting: (row) => row.setting,
    value: (row) => (row.value === undefined ? undefined : shownIn(row)),
    origin: (row) => row.origin,
    variable: (row) => row.variable,
  });
}

function shownIn({ setting: path, value }: SettingView): string {
  const setting = settings.find((each) => each.path === path);
  return setting === undefined ? '' : shownValue(setting, value);
}
