import { type Amount, isAmount, parseAmount } from '../amount.ts';
import { isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../parse.ts';

/** Most issues of one negotiation. */
export const issuesMax = 20;
/** Most options of one issue. */
export const issueOptionsMax = 1_000;

/** What is to be agreed on: one of some options, or a whole amount between two. */
export type Issue = OptionsIssue | RangeIssue;

export interface OptionsIssue {
  /** 1 to {@link issueOptionsMax} texts of up to 256 characters, all different. */
  readonly options: readonly string[];
}

export interface RangeIssue {
  readonly from: Amount;
  readonly to: Amount;
}

/** By name: 1 to {@link issuesMax}. */
export type Issues = Readonly<Record<string, Issue>>;

/** A value for each issue. */
export type Offer = Readonly<Record<string, string | Amount>>;

export function isRange(issue: Issue): issue is RangeIssue {
  return 'from' in issue;
}

/** Reads issues. Amounts may be decimal strings. */
export function parseIssues(field: string, value: unknown): Parsed<Issues> {
  const names = isRecord(value) ? Object.keys(value) : [];
  if (!isRecord(value) || names.length === 0 || names.length > issuesMax) {
    return unparsed(`${field}: expected 1 to ${issuesMax} issues, got ${shown(value)}`);
  }
  const issues: [string, Issue][] = [];
  for (const [name, each] of Object.entries(value)) {
    if (name.length > 64) return unparsed(`${field}: ${shown(name)} is longer than 64 characters`);
    const issue = parseIssue(`${field}.${name}`, each);
    if (!issue.ok) return issue;
    issues.push([name, issue.value]);
  }
  return parsed(Object.fromEntries(issues));
}

function parseIssue(field: string, value: unknown): Parsed<Issue> {
  if (!isRecord(value)) {
    return unparsed(`${field}: expected { options } or { from, to }, got ${shown(value)}`);
  }
  if (!('options' in value)) return parseRange(field, value);
  const { options } = value;
  const extra = unknownField(value, ['options']);
  if (extra !== undefined) return unparsed(`${field}: unknown field ${shown(extra)}`);
  if (!Array.isArray(options) || options.length === 0 || options.length > issueOptionsMax) {
    return unparsed(
      `${field}.options: expected 1 to ${issueOptionsMax} texts, got ${shown(options)}`,
    );
  }
  const texts: string[] = [];
  for (const option of options) {
    if (typeof option !== 'string' || option.length > 256) {
      return unparsed(
        `${field}.options: expected texts of at most 256 characters, got ${shown(option)}`,
      );
    }
    texts.push(option);
  }
  return new Set(texts).size === texts.length
    ? parsed({ options: texts })
    : unparsed(`${field}.options: expected different ones, got one of them twice`);
}

function parseRange(field: string, value: Readonly<Record<string, unknown>>): Parsed<RangeIssue> {
  const extra = unknownField(value, ['from', 'to']);
  if (extra !== undefined) return unparsed(`${field}: unknown field ${shown(extra)}`);
  const from = parseAmount(`${field}.from`, value['from']);
  if (!from.ok) return from;
  const to = parseAmount(`${field}.to`, value['to']);
  if (!to.ok) return to;
  return from.value <= to.value
    ? parsed({ from: from.value, to: to.value })
    : unparsed(`${field}: expected \`from\` to be at most \`to\`, got ${shown(from.value)}`);
}

/** Reads an offer, whatever the issues are. */
export function parseOffer(field: string, value: unknown): Parsed<Offer> {
  if (!isRecord(value) || Object.keys(value).length > issuesMax) {
    return unparsed(`${field}: expected a value for each issue, got ${shown(value)}`);
  }
  const offer: [string, string | Amount][] = [];
  for (const [name, each] of Object.entries(value)) {
    if (!isAmount(each) && !(typeof each === 'string' && each.length <= 256)) {
      return unparsed(
        `${field}.${name.slice(0, 64)}: expected an option or an amount, got ${shown(each)}`,
      );
    }
    offer.push([name, each]);
  }
  return parsed(Object.fromEntries(offer));
}

/** The offer, with its amounts as such; undefined if it has not one possible value for each issue, and no more. */
export function offerOn(issues: Issues, offer: Offer): Offer | undefined {
  const names = Object.keys(issues);
  if (Object.keys(offer).length !== names.length) return undefined;
  const values: [string, string | Amount][] = [];
  for (const [name, issue] of Object.entries(issues)) {
    const given = Object.hasOwn(offer, name) ? offer[name] : undefined;
    const value = given === undefined ? undefined : valueOf(issue, given);
    if (value === undefined) return undefined;
    values.push([name, value]);
  }
  return Object.fromEntries(values);
}

function valueOf(issue: Issue, given: string | Amount): string | Amount | undefined {
  if (!isRange(issue)) return issue.options.find((option) => option === given);
  const amount = parseAmount('', given);
  return amount.ok && amount.value >= issue.from && amount.value <= issue.to
    ? amount.value
    : undefined;
}
