// SPDX-License-Identifier: Apache-2.0
// Every word of the pages, in each language.  Names of objects and parameters are the API's, and so
// are its explanations.

import { en } from './words/en';
import { fr } from './words/fr';
import { ko } from './words/ko';

export type { Strings } from './words/en';

export const languages = { en, ko, fr };
export type Language = keyof typeof languages;

export function chooseLanguage(wished: readonly string[]): Language {
  for (const wish of wished) {
    const language = wish.toLowerCase().split('-')[0] ?? '';
    if (Object.hasOwn(languages, language)) return language as Language;
  }
  return 'en';
}
