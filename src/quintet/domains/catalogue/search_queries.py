"""The statements of searching the catalogue."""

from collections.abc import Collection

from quintet.domains.catalogue.model import Found, Hit, Kind, Place, WorkId
from quintet.domains.catalogue.rules import Like, Meant
from quintet.kernel.database import Tx


async def ranked(
    tx: Tx,
    query: str,
    kinds: Collection[Kind],
    meant: Meant | None,
    with_words: str | None,
    also: Collection[WorkId],
    behind: Place | None,
    offset: int,
    most: int,
) -> Found:
    """The works a query may mean, best first: whole names, begun ones, those with words meant, then `also`.

    Bounded whatever is asked: a hundred names of each kind and degree of fame that begin so, a thousand with
    the words. Popularity decides between equals, then the id.
    """
    rows = await tx.all(
        lambda *row: row,
        """
        with asked as materialized (
            select text, catalogue.squeezed(text) as squeezed from catalogue.folded($1) as text
        ), beginning as (
            select n.work_id, n.squeezed, n.popularity,
                   case when n.name = asked.text then 4
                        when n.squeezed = asked.squeezed then 3
                        else 2 end::double precision as fit
            from (select text, squeezed from asked where squeezed <> '') as asked
            cross join unnest($2::text[]) as of_kind(kind)
            cross join generate_series(0, 3) as of_fame(fame)
            cross join lateral (
                select work_id, name, squeezed, popularity from catalogue.names
                where kind = of_kind.kind and fame = of_fame.fame
                  and squeezed >= asked.squeezed and squeezed < asked.squeezed || U&'\\+10FFFF'
                order by squeezed limit 100
            ) as n
        ), worded as materialized (
            select work_id, squeezed, words, popularity from catalogue.names
            where words @@ $3::tsquery and kind = any ($2) limit 1000
        ), meant as (
            select n.work_id, n.squeezed, n.popularity,
                   -- The likelihood of its words; of names with the same words the one as long as the query.
                   (select sum(likeliest) from (
                        select max(weight) as likeliest
                        from unnest($4::text[], $5::double precision[], $6::integer[])
                             as m(word, weight, place)
                        where word = any (tsvector_to_array(n.words)) group by place
                    ) as of_place)
                   * (0.7 + 0.29 * least(length(n.squeezed), length(asked.squeezed))
                                 / greatest(length(n.squeezed), length(asked.squeezed))) as fit
            from worded n, asked
        ), named as (
            select n.work_id, n.squeezed, n.popularity,
                   public.similarity(n.name, asked.text)::double precision / 5 as fit
            from asked, catalogue.names n where n.work_id = any ($7) and n.kind = any ($2)
        ), best as (
            select distinct on (work_id) work_id, squeezed, popularity, fit
            from (select work_id, squeezed, popularity, fit from beginning
                  union all select work_id, squeezed, popularity, fit from meant
                  union all select work_id, squeezed, popularity, fit from named) as hit
            order by work_id, fit desc
        ), page as (
            select work_id, squeezed, popularity, fit from best
            where $8::double precision is null
               or (-fit, -popularity, work_id) > (-$8::double precision, -$9::double precision, $10)
            order by fit desc, popularity desc, work_id
            offset $11 limit $12
        )
        select (select count(*) from best), (select max(fit) from best), asked.squeezed,
               work_id, fit, popularity, page.squeezed
        from asked left join page on true
        order by fit desc, popularity desc, work_id
        """,
        query,
        list(kinds),
        with_words,
        meant.words if meant else [],
        meant.weights if meant else [],
        meant.places if meant else [],
        list(also),
        behind and behind[0],
        behind[1] if behind else 0.0,
        behind[2] if behind else "",
        offset,
        most,
    )
    total, best, asked = rows[0][:3]
    return Found([Hit(*row[3:]) for row in rows if row[3] is not None], total, best or 0, asked)


async def words_like(tx: Tx, query: str) -> list[Like]:
    """The catalogue's words that resemble those of a query; of a query with many, its first eight."""
    return await tx.all(
        Like,
        """
        select asked.place, asked.word, known.word, public.similarity(known.word, asked.word)
        from (
            select word, min(place) as place
            from unnest(catalogue.words_of(catalogue.folded($1))) with ordinality as said(word, place)
            group by word order by place limit 8
        ) as asked
        cross join lateral (
            (select word from catalogue.words
             where word operator(public.%) asked.word
             order by public.similarity(word, asked.word) desc, word limit 30)
            union
            (select word from catalogue.words
             where catalogue.shortened(word) && catalogue.shortened(asked.word) limit 100)
            union
            (select word from catalogue.words
             where word >= asked.word and word < asked.word || U&'\\+10FFFF' order by word limit 20)
        ) as known
        """,
        query,
    )


async def works_containing(tx: Tx, query: str, kinds: Collection[Kind]) -> list[WorkId]:
    """Works with the query anywhere in a name; the last resort."""
    return await tx.all(
        WorkId,
        """
        with containing as materialized (
            select n.work_id
            from catalogue.folded($1) as asked,
                 replace(replace(replace(asked, '\\', '\\\\'), '%', '\\%'), '_', '\\_') as literal,
                 catalogue.names n
            where n.name ilike '%' || literal || '%' and n.kind = any ($2)
        )
        select work_id from containing limit 200
        """,
        query,
        list(kinds),
    )


async def lock_title(tx: Tx, title: str, kind: Kind) -> None:
    """Let nobody else look for doubles of this title until the transaction ends."""
    await tx.send(
        """
        select pg_advisory_xact_lock(
            hashtextextended('catalogue ' || $2 || catalogue.squeezed(catalogue.folded($1)), 0))
        """,
        title,
        kind,
    )


async def works_doubled(tx: Tx, title: str, kind: Kind, year: int | None, most: int) -> list[WorkId]:
    """Works of a kind that a new one seems to double: the same name or nearly so, and about the same year."""
    return await tx.all(
        lambda work_id, _likeness: WorkId(work_id),
        """
        select w.id, max(likeness) as likeness
        from catalogue.names_like($1, $2) as n(work_id, likeness)
        join catalogue.works w on w.id = n.work_id
        where $3::integer is null or w.year is null or abs(w.year - $3) <= 1
        group by w.id, w.popularity
        order by likeness desc, w.popularity desc, w.id
        limit $4
        """,
        title,
        kind,
        year,
        most,
    )
