// SPDX-License-Identifier: Apache-2.0
// What the API says about itself (GET openapi): which addresses there are, and of each object its
// parameters.  Every table and form is made of this; src/api/openapi.h explains the members `x-`.

import { at, text, type Value } from './api';

export interface Field {
  readonly name: string;
  readonly help: string;
  readonly kind: string;
  /** Elements it lies in when it is read: ["status", "rxAudio"]. */
  readonly inside: readonly string[];
  readonly choices: readonly string[];
  readonly fallback: string;
  readonly minimum?: number | undefined;
  readonly maximum?: number | undefined;
  readonly longest?: number | undefined;
  readonly required: boolean;
  readonly listed: boolean;
  readonly shown: boolean;
  readonly postable: boolean;
  readonly puttable: boolean;
  readonly secret: boolean;
  /** The object that its ID names. */
  readonly refers: string;
}

export interface Place {
  /** "coSpaces/{id}" */
  readonly template: string;
  readonly kind: string;
  readonly object: string;
  readonly methods: readonly string[];
  /** What POST or PUT takes, in the description's words; undefined: nothing. */
  readonly body: Body | undefined;
}

/** The parameters of a schema, of the body itself, or of both. */
interface Body {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Property>>;
  readonly allOf?: readonly Body[];
}

interface Property {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly default?: string | number | boolean;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly description?: string;
  readonly 'x-kind'?: string;
  readonly 'x-inside'?: string;
  readonly 'x-ref'?: string;
  readonly 'x-post'?: boolean;
  readonly 'x-put'?: boolean;
  readonly 'x-get'?: boolean;
  readonly 'x-list'?: boolean;
  readonly 'x-secret'?: boolean;
  readonly 'x-lacking'?: boolean;
}

interface Schema {
  readonly properties: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
  readonly 'x-collection'?: string;
  readonly 'x-extends'?: string;
}

export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const METHODS = ['get', 'post', 'put', 'delete'];

function bodyOf(path: Readonly<Record<string, unknown>>): Body | undefined {
  const asked = (path.post ?? path.put) as { readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Body }>> } } | undefined;
  return Object.values(asked?.requestBody?.content ?? {})[0]?.schema;
}

function fieldOf(name: string, is: Property, required: boolean): Field {
  const offered = is['x-lacking'] !== true;
  return {
    name,
    help: is.description ?? '',
    kind: is['x-kind'] ?? is.type ?? 'text',
    inside: is['x-inside']?.split('/').map((word) => word.replace(/:.*/, '')) ?? [],
    choices: is.enum ?? (is.type === 'boolean' ? ['true', 'false'] : []),
    fallback: is.default === undefined ? '' : String(is.default),
    minimum: is.minimum,
    maximum: is.maximum,
    longest: is.maxLength,
    required,
    listed: is['x-list'] === true,
    shown: is['x-get'] === true,
    postable: offered && is['x-post'] === true,
    puttable: offered && is['x-put'] === true,
    secret: is['x-secret'] === true,
    refers: is['x-ref'] ?? '',
  };
}

export class Description {
  readonly places: readonly Place[];

  constructor(private readonly api: OpenApi) {
    this.places = Object.entries(api.paths).map(([path, is]) => ({
      template: path.slice(1),
      kind: text(is['x-kind'] as Value | undefined),
      object: text(is['x-object'] as Value | undefined),
      methods: METHODS.filter((method) => method in is).map((method) => method.toUpperCase()),
      body: bodyOf(is),
    }));
  }

  /** The place that an address is at: "coSpaces/93f0..." is at "coSpaces/{id}". */
  placeOf(address: string): Place | undefined {
    const words = address.split('/');
    const fits = ({ template }: Place) => {
      const parts = template.split('/');
      return parts.length === words.length && parts.every((part, i) => (part.startsWith('{') ? words[i] !== '' : part === words[i]));
    };
    return this.places.find(fits);
  }

  /** What can be read, asked for or done, without more to be known. */
  offers({ methods }: Place): boolean {
    return methods.includes('GET') || methods.includes('POST') || methods.includes('PUT');
  }

  /** What lies right below an address: the access methods of a space. */
  below(place: Place): Place[] {
    const depth = place.template.split('/').length;
    return this.places.filter(
      (one) =>
        one.template.startsWith(`${place.template}/`) && one.template.split('/').length === depth + 1 && !one.template.endsWith('}') && this.offers(one),
    );
  }

  /** What a method of a place takes. */
  parameters({ body }: Place, method: string): Field[] {
    return this.parametersOf(body).filter((field) => (method === 'PUT' ? field.puttable : method === 'POST' && field.postable));
  }

  private parametersOf(body: Body | undefined): Field[] {
    if (body === undefined) return [];
    const own = Object.entries(body.properties ?? {}).map(([name, is]) => fieldOf(name, is, false));
    const schema = body.$ref === undefined ? [] : this.fields(body.$ref.replace(/.*\//, ''));
    return [...schema, ...own, ...(body.allOf ?? []).flatMap((one) => this.parametersOf(one))];
  }

  /** The parameters of an object, its own before those it takes from another. */
  fields(object: string): Field[] {
    const schema = this.api.components.schemas[object];
    if (schema === undefined) return [];
    const own = Object.entries(schema.properties).map(([name, is]) => fieldOf(name, is, schema.required?.includes(name) === true));
    const names = new Set(own.map(({ name }) => name));
    const others = schema['x-extends'] === undefined ? [] : this.fields(schema['x-extends']);
    return [...own, ...others.filter(({ name }) => !names.has(name))];
  }

  /** The collection that an object stands in: "callLegProfile" is in "callLegProfiles". */
  collectionOf(object: string): string | undefined {
    return this.places.find(({ template, kind, object: of }) => kind === 'collection' && of === object && !template.includes('{'))?.template;
  }

  /** The objects of a list's answer. */
  rows(object: string, answer: Value): Value[] {
    const outer = this.api.components.schemas[object]?.['x-collection'] ?? `${object}s`;
    const found = at(answer, outer, object);
    return found === undefined ? [] : Array.isArray(found) ? found : [found];
  }

  total(object: string, answer: Value): number {
    return Number(text(at(answer, this.api.components.schemas[object]?.['x-collection'] ?? `${object}s`, 'total')) || 0);
  }
}

/** A parameter's value in what was read. */
export function valueOf(field: Field, row: Value | undefined): string {
  return text(at(row, ...field.inside, field.name)) || text(at(row, field.name));
}

/** Everything that an answer says, flat: ["status/rxAudio/codec", "opus"]. */
export function flat(value: Value, prefix = ''): [string, string][] {
  if (Array.isArray(value)) return value.flatMap((one, i) => flat(one, value.length === 1 ? prefix : `${prefix}[${i + 1}]`));
  if (typeof value !== 'object') return [[prefix, String(value)]];
  return Object.entries(value).flatMap(([name, one]) => flat(one, prefix === '' ? name : `${prefix}/${name}`));
}

/** XML with a line for each element, for people. */
export function indented(xml: string): string {
  let depth = 0;
  const lines = xml.replace(/></g, '>\n<').split('\n');
  return lines
    .map((line) => {
      if (line.startsWith('</')) depth--;
      const shown = '  '.repeat(Math.max(depth, 0)) + line;
      if (/^<[^/?!]([^>]*[^/])?>$/.test(line)) depth++;
      return shown;
    })
    .join('\n');
}
