import { describe, expect, it } from 'vitest';

import { identifyAll, noLanguage } from './answers.ts';
import { languageCodes } from './languages.ts';
import { loadModel, modelNames } from './models.ts';

const sentences: readonly (readonly [language: string, text: string])[] = [
  ['eng', 'Everyone has the right to work and to free choice of employment'],
  ['deu', 'Das Recht auf Arbeit und auf freie Berufswahl steht allen Menschen zu'],
  ['ara', 'لكل شخص الحق في العمل وله حرية اختياره بشروط عادلة مرضية'],
  ['heb', 'לכל אדם הזכות לעבודה ולבחירה חופשית של עבודתו'],
  ['tgl', 'Ang bawat tao ay may karapatan sa paggawa at sa malayang pagpili ng trabaho'],
  ['nob', 'Enhver har rett til arbeid og til fritt valg av yrke, jeg vet ikke hva du mener'],
];

describe.each(modelNames)('%s', (name) => {
  it('names languages by their ISO 639-3 codes, whatever its own codes are', async () => {
    const model = await loadModel(name, languageCodes);
    for (const [language, text] of sentences) {
      // lande takes Norwegian for Danish more often than not
      const expected = name === 'lande' && language === 'nob' ? ['nob', 'dan'] : [language];
      const answer = model.identify(text);
      expect(expected).toContain(answer.language);
      expect(answer.confidence).toBeGreaterThan(0);
      expect(answer.confidence).toBeLessThanOrEqual(1);
    }
  });

  it('has no answer, and does not throw, where there is nothing to say', async () => {
    const model = await loadModel(name, ['eng', 'ell']);
    for (const text of ['', ' ', '123 456', '…?!']) {
      expect(model.identify(text)).toEqual({ language: undefined, confidence: 0 });
    }
    for (const text of ['a', 'สวัสดี', '\uD800', '\0x', 'Ω'.repeat(9_000), 'добрый день']) {
      expect([undefined, 'eng', 'ell']).toContain(model.identify(text).language);
    }
  });

  it('refuses a language it cannot name', async () => {
    await expect(loadModel(name, ['eng', 'xyz'])).rejects.toThrow('cannot name the language "xyz"');
  });
});

it('packs answers into bytes', async () => {
  const model = await loadModel('tinyld', ['ell', 'eng']);
  const answers = identifyAll(model, ['', 'Όλοι οι άνθρωποι γεννιούνται'], ['ell', 'eng']);
  expect(answers.languages).toEqual(Uint8Array.of(noLanguage, 0));
  expect(answers.confidences).toEqual(Uint8Array.of(0, 255));
});
