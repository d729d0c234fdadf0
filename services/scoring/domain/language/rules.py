"""Which words give which tag. A rule is a pattern over the normal form of a text (see `wording`).

In patterns `_` stands for a space, `<name>` for one of the words listed under that name, `~n` for up to n words in
between. A rule does not apply when a negation stands before it or within it, unless it is written under `AS_IT_IS`
(it says the negation itself).
"""

import re
from dataclasses import dataclass
from re import Pattern

from services.scoring.domain.language.lists import LISTS
from services.scoring.domain.language.reading import (
    DELIVERY,
    FRUSTRATED,
    LOYALTY,
    PRICE,
    QUALITY,
    SERVICE,
    TRUST,
)

PLAIN = {
    LOYALTY: """
        <love>_(?:this|your|the|that)_<brand>
        <love>_(?:you|u)_(?:guys|all|people|lot)
        <love>_~1<brand>_(?:so_much|to_bits|to_death)
        (?:huge|big|massive|biggest|such_a|longtime|long_time|lifelong)_fan
        fan_(?:of_(?:your|this|the)_<brand>|since|for_life)
        loyal_~1(?:customer|client|fan|buyer|member|subscriber|user|shopper|to_(?:you|this|your))
        (?:customer|client|member|subscriber|fan)_(?:for_life|for_ever|forever)
        (?:customer|client|member|subscriber|buyer|shopper|user)_(?:of_yours_|here_)?(?:since|for_~2years|for_~2decades?)
        (?:been|be)_(?:a_)?(?:~2(?:customer|client|member|subscriber|user)|buying_(?:here|from)|shopping_(?:here|with|at)|using|with_you|coming_here|ordering_from)_~5(?:years|decade|decades|ages|since|forever|long_time)
        (?:with_you|with_this_company|with_them)_(?:for|since)_~2(?:years|decades?|ages|the_start|\\d+)
        (?:\\d+|<number>)_years_a_(?:customer|subscriber|member|client)
        (?:stick|stuck|stay|staying|stayed|sticking)_(?:with|by)_(?:you|them|it|this_<brand>)
        (?:always|keep|keeps|kept|we|i)_(?:come|coming|came|return|returning|going)_back_(?:here|for_more|to_(?:you|this|them)|again)
        keeps?_coming_back
        we_return_every
        (?:my|our)_~2(?:favourite|go_to|number_one|first_choice|top_choice|first_stop)_~1(?:<brand>|place|spot|roaster|bakery|hotel|airline|restaurant|supplier|provider|bank|tool|app|one)
        (?:my|our)_go_to
        favourite_<brand>
        (?:forever|always)_(?:my|our)_(?:favourite|first_choice|choice|number_one|go)
        (?:best|greatest)_<brand>_(?:ever|on_the|in_the|in_town|out_there|i_know)
        (?:you|you_guys|they)_are_the_best
        <obsessed>_with_~1<brand>
        swear_by_(?:this|your|these|the|them|you)
        <recommend>_(?:this|your|the|that)_<brand>
        <recommend>_(?:you|them|it)_(?:to|all_the_time|any|whenever|wherever)
        (?:highly|definitely|absolutely|warmly|always|totally|strongly|fully)_recommend
        recommend_(?:you|them|it|this_<brand>)_(?:to|all)
        <recommend>_~3to_(?:anyone|anybody|everyone|everybody|all|friends|my|others)
        (?:tell|told|telling)_(?:all_)?(?:my_friends|everyone|everybody|all_my|anyone)_~4about_(?:it|you|them|this)
        (?:convinced|converted|talked)_(?:my|our|all|half)_~4(?:you|this|switch|it)
        (?:will|would|going_to|be)_(?:definitely_|certainly_|surely_|always_|gladly_)?(?:be_)?(?:order|ordering|buy|buying|shop|shopping|come_back|return|book|booking)_~3(?:again|forever|for_years)
        (?:will|would)_(?:definitely_|certainly_|surely_)?be_back
        see_you_(?:next|again|soon)
        (?:only|exclusively)_(?:buy|shop|order|book|use|wear|get|go)_~4(?:here|from_you|from_them|with_you|this_<brand>)
        (?:buy|shop|order|book|get)_~3(?:only|exclusively)_(?:here|from_you|from_them|with_you)
        (?:this|your)_<brand>_is_(?:all|the_only)
        (?:everything|every_\\w+|all)_~5(?:is|are|comes?)_from_(?:you|them)
        (?:always|every_time)_(?:buy|order|shop|book)_~3(?:here|from_you|with_you)
        (?:book|buy|order|get)_(?:all|everything)_~4(?:with|from|at)_(?:you|them)
        (?:for_ever|forever|for_life)_(?:yours|loyal|my|our)
        proud_(?:owner|member|customer)_of_(?:\\d+|<number>|several|many)
        sign_again
        the_next_~1will_be_too
        i_shop_here
        """,
    TRUST: """
        (?:always|every_time|each_time|consistently|usually)_~2<fix>
        (?:whenever|when_(?:something|anything|i)|every_(?:bug|issue|problem|time)|no_matter_what)_~9(?:<fix>|<fixed>|care_of|answer|there)
        <fix>_~3(?:fast|quickly|immediately|promptly|right_away|straight_away|at_once|within|the_same|in_no_time|super_fast|every_time|properly)
        <fixed>_~4(?:fast|quickly|immediately|promptly|right_away|straight_away|at_once|within|in_(?:no_time|minutes|one_call|\\d+)|the_same|same_day|every_time|everything|by_the_next|next_day|super_fast)
        (?:problem|issue|bug|ticket|everything)_(?:was_|is_|got_)?<fixed>
        quick_(?:reply|response|answer|solution|fix)_~4<fixed>
        (?:replacement|refund|new_one|answer|reply|money_back)_~4(?:right_away|straight_away|the_next_(?:day|morning)|the_same_day|same_day|within_(?:minutes|an_hour|hours)|immediately|at_once|in_no_time)
        (?:sent|send|sending)_(?:me_|us_)?(?:a_)?(?:new_one|replacement|another)_~3(?:next|same|day|away|free|once|immediately|questions)
        replaced_(?:it|them|mine)_~4(?:free|once|hassle|immediately|away|fuss|questions|quickly|fast)
        (?:a_|the_|my_)?(?:new_one|replacement)_(?:was|came|arrived)_~3(?:on_its_way|the_next|next_(?:day|morning)|in_the_morning|within)
        (?:money|refund)_(?:was_)?(?:back_)?(?:on|in)_(?:my|our)_account_the
        money_was_back
        (?:can|could|do|to)_(?:always_|really_|fully_|completely_|absolutely_)?(?:count|rely|depend|bank)_on_(?:you|them|this|it|these)
        i_(?:really_|fully_|completely_|totally_)?trust_(?:you|them|this|these|your|the)
        (?:earned|deserve|have|gained|won)_(?:my|our)_(?:trust|full_trust|complete_trust)
        (?:complete|full|total|absolute|every)_(?:confidence|trust|faith)_in
        (?:totally|very|really|super|so|always|absolutely|completely|consistently|100)_(?:reliable|dependable|trustworthy|honest)
        (?:reliable|dependable|trustworthy|honest)_(?:as_ever|as_always|company|shop|store|seller|brand|people|team|business|service|partner|descriptions)
        (?:a|most|an)_(?:reliable|dependable|trustworthy|honest)_(?:company|shop|store|seller|brand|people|team|business|service|partner)
        (?:people_who|they)_(?:really_)?(?:keep|kept|keeps)_(?:their|its|the|every|all)_~1(?:word|promise|promises)
        (?:keep|kept|keeps)_(?:their|its|your|every|all)_~1(?:word|promise|promises)
        (?:do|did|does|deliver|delivers|delivered)_(?:exactly_)?what_(?:they|you|it)_(?:say|said|says|promise|promised|promises)
        true_to_(?:their|its|your)_word
        (?:exactly_|just_)?as_promised
        always_(?:on_time|on_schedule|punctual|there_(?:when|for)|helpful|correct|right|the_same_~1quality)
        (?:deliveries|delivery|orders?|parcels?|every_\\w+)_~2always_(?:on_time|on_schedule|arrives?|punctual)
        always_~1(?:there_when|there_for|there_to|make_(?:it|things)_right|help_me|help_us|helps_me|deliver)
        (?:made|make|makes|making)_(?:it|things|everything)_right
        (?:above_and_beyond|went_the_extra_mile)
        (?:stand|stands|stood)_behind_(?:their|its|your)
        (?:owned|admitted)_(?:their|the|its)_(?:mistake|error|fault)
        (?:in_good_hands|feel_safe|rock_solid)
        (?:super|very|so|really|extremely|always|incredibly)_responsive
        (?:answer|answers|reply|replies|response|responded|replied|got_back_to_me|get_back_to_me|back_to_me)_~2(?:within|in)_(?:minutes|an_hour|\\d+_min(?:utes)?|<number>_min(?:utes)?|seconds|no_time)
        (?:claim|invoice|complaint|return)_~2(?:settled|handled|painless|sorted|refunded)_~3(?:days?|minutes|hours?|trouble|painless|same|back)
        (?:warranty|guarantee)_~2(?:honoured|honored|respected)
        the_return_was_painless
        take_care_of_(?:it|me|us|everything)
        that_is_how_you_do_it
        """,
    DELIVERY: """
        <wish>_~4<delivery>_~4<faster>
        <wish>_~3<ship>_~3<faster>
        <delivery>_~1(?:could|should|must|needs?_to|can)_~3<faster>
        (?:would|could)_~5(?:if|offered?)_~4(?:<ship>|<delivery>|<parcel>)_~4<faster>
        (?:faster|quicker|speedier|better)_(?:shipping|delivery|dispatch)
        (?:shipping|delivery|dispatch|courier)_~4<slow>
        <slow>_~1(?:shipping|delivery|dispatch|courier)
        <goods>_~4(?:is|are|was|were|be|came|arrived?|arriving|delivered|got_here|turned_up|showed_up)_~6(?:late|overdue|delayed|behind_schedule)
        (?:days?|weeks?|hours?|months?)_(?:too_)?(?:late|overdue)
        (?:came|arrived|delivered|turned_up|showed_up|here)_~3(?:days?|weeks?|hours?|months?)_(?:late|after|later|overdue)
        (?:arrived|came|got_here)_(?:far_|way_|much_)?(?:too_)?late
        late_(?:delivery|deliveries|shipment|parcel|package|again)
        (?:delivery|shipping|it|that|package|parcel|order)_(?:has_)?(?:took|takes|taken|taking)_(?:~1for_ever|forever|ages|an_age|~2weeks?|~2months?|~2days|(?:so|too|very|way_too)_long|an_eternity)
        took_~2(?:days|weeks?|months?)_to_(?:arrive|get_here|get_to|come|deliver|ship|reach)
        (?:still|been)_(?:waiting|wait)_~2for_(?:(?:a|an|my|the|our|this|these)_)?(?:~2<parcel>|~2that_i_ordered|\\w+_(?:that_)?i_ordered|delivery)
        (?:waiting|waited)_~6(?:delivery|parcel|package|courier|shipment)
        (?:where|when)_(?:is|are|will)_(?:my|our|the)_~1(?:order|orders|parcel|package|delivery|stuff|item|items|shipment|shoes|money_order)
        still_no_<parcel>
        still_no_(?:delivery|parcel|package|shoes|order|books?|sign_of)
        <goods>_~4(?:lost|vanished|disappeared|got_lost|went_missing|missing|stolen)
        (?:lost|missing|misplaced)_(?:my|the|our)?_?(?:parcel|package|order|shipment|delivery)
        <goods>_~3(?:stuck|sitting|stranded|held|spent)_~1(?:in|at)
        (?:stuck|held)_(?:in|at)_(?:customs|the_depot|the_warehouse|transit)
        (?:says|said|marked|shows)_(?:as_)?(?:" )?(?:delivered|in_transit)
        (?:courier|driver|delivery_guy|postman|delivery_man|carrier|delivery_driver|they|delivery)_~2(?:left|threw|dumped|dropped|kicked|delivered)_~6(?:rain|outside|fence|street|wrong|neighbou?rs?|bin|bush|road|gate)
        (?:left|delivered|sent|brought|shipped)_~3(?:to|at)_(?:the_)?(?:wrong_(?:address|house|door|place|person)|neighbou?rs?|somebody_else|someone_else)
        (?:delivery|shipment|dispatch|arrival)_~1(?:date_|slot_)?~1(?:postponed|moved|pushed_back|rescheduled|cancelled|changed|missed|delayed)
        (?:was|is|has_been|been|got|were)_(?:postponed|delayed|rescheduled)
        (?:after|two|three|\\d+|<number>)_(?:hours|minutes|days|weeks)_after_the_(?:slot|date|deadline|time|window)
        came_cold
        (?:food|pizza|meal|burger|it)_(?:came|arrived|was)_(?:~1cold|upside_down|as_soup|melted)
        <goods>_~1(?:arrived|came)_(?:upside_down|as_soup|melted)
        arrived_upside_down
        came_after_the_(?:birthday|party|wedding|holiday|holidays|event)
        (?:was|were)_(?:promised|supposed|due|meant|expected|scheduled|guaranteed)_~1(?:to_(?:be_here|arrive|come|be_delivered)|for_\\w+_and_(?:came|arrived))
        promised_for_\\w+_and_(?:came|arrived)
        (?:express|next_day|overnight)_~5(?:after|week|weeks|days)
        (?:spent|been)_~2(?:days|weeks)_in_(?:the_)?(?:truck|van|post|depot|transit|warehouse)
        been_sitting_in
        tracking_~5(?:weeks?|days?|stuck|updated?|moved|wrong|useless)
        <parcel>_~1(?:damaged|crushed)_in_transit
        """,
    PRICE: """
        (?:too|so|way_too|overly|ridiculously|insanely|crazy|very|quite|rather|pretty|extremely|really|bit|little|super|far_too|how)_(?:expensive|pricey|pricy|costly|dear|steep|high_priced)
        (?:more|most)_expensive
        (?:got|get|getting|gets|become|becoming|became)_~2expensive
        expensive_(?:for|compared|than)
        (?:is|was|are|were)_(?:expensive|overpriced|pricey|pricy|costly|steep|unaffordable)
        overpriced
        over_priced
        overcharged?
        rip_off|ripoff
        ripped_off
        daylight_robbery
        (?:price|prices|pricing|cost|costs|fee|fees|premium|rates|charges|bill)_~3(?:too_high|so_high|went_up|gone_up|going_up|goes_up|go_up|rose|increased?|doubled|tripled|hike|hikes|steep|outrageous|insane|ridiculous|crazy|absurd|a_joke|unfair|excessive|hurts?|jumped|higher|up_again)
        (?:doubled|raised|raising|tripled|increased|increasing|hiked)_~1(?:the|your|my|our|their)_~1(?:price|prices|fee|fees|premium|rates|subscription)
        (?:price|fee|premium)_(?:increase|hike|rise)s?
        another_increase
        (?:hidden|extra|surprise|unexpected|additional|absurd|outrageous|high|crazy|excessive)_(?:fees?|charges?|costs?)
        (?:a|the)_fee_(?:that_)?(?:nobody|no_one|i_did)
        a_fee_for
        charged_~1(?:me_|us_)?(?:twice|double|too_much|extra|more|a_fee|again|for_something)
        (?:you|they)_charged_me_~1(?:twice|double|again|too)
        paying_more
        pay_~2more_~2every
        (?:much|far|way|lot|so_much|even)_cheaper
        cheaper_(?:elsewhere|at|somewhere|in|than|on|from|with|anywhere)
        (?:for_)?(?:less|half)_~2(?:at_the_corner|elsewhere|somewhere|at_other|in_other|at_another)
        (?:others?|other_\\w+|competitors?|competition)_~1(?:cost|costs|charge|charges|are|is)_~1(?:half|less|cheaper)
        get_~4for_~1(?:\\d+|less|half)_~1elsewhere
        dollars_less
        <wish>_~4(?:cheaper|affordable|less_expensive|lower_price|lower_prices)
        if_~3(?:were|was|is|only_it_were)_~1(?:cheaper|more_affordable|less_expensive)
        if_only_~2cheaper
        (?:little|bit|lot)_cheaper
        more_affordable
        (?:student|senior|bulk)_discount_would
        lot_of_money
        only_the_price
        costs?_(?:nearly_|almost_|about_|twice_|even_)?(?:as_much|more|double|twice|a_fortune|the_earth|an_arm|that_much|so_much|too_much|way)
        costs?_(?:\\w+_)?more_than
        (?:bucks|dollars|euros|pounds|\\$|€|£)_~5(?:for_(?:a|an|one|this|that|some|plastic|popcorn|paying))_~4(?:joke|no_thanks|too_much|rip|seriously|ridiculous|insane|crazy|steal|what_a)
        (?:bucks|dollars|euros|pounds)_for_(?:a|an|popcorn|this|that)_~2(?:\\?|💸|no_thanks|salad)
        (?:bucks|dollars|euros|pounds)_~6(?:is_too_much|is_a_joke|is_a_rip|is_insane|is_crazy|is_ridiculous)
        too_much_(?:money|for_(?:a|an|this|that|what))
        is_too_much
        for_the_same_price
        less_~4(?:for_the_same|same_price)
        paying_(?:\\d+|<number>|that_much|so_much|for_the_fee)
        what_a_bargain
        """,
    QUALITY: """
        (?:stopped|quit|stops)_working
        (?:broke|broken|snapped|cracked|torn|ripped|shattered|shredded|ruptured|frayed|collapsed)
        (?:fell|came|come|coming|falls|fall|falling)_(?:apart|off|loose|undone|out_of_the)
        (?:defective|faulty|defect|malfunction\\w*|kaput|kaputt)
        (?:wobbly|wobbles|squeaks?|creaks|rattles|flimsy|shoddy|scratched|dented|bent|stained|crooked|warped|chipped|chipping|peeled|peeling|rusty|rusted|smudges|fades|faded)
        peel_(?:after|off|away)
        to_peel
        (?:leaks?|leaked|leaking|leaky|dripping)
        (?:crashes|crashed|crashing|freezes|freezing|froze|lags?|laggy|glitchy|glitches|buggy|flickers?|flickering|overheats?|overheating|drifts|drifted|cuts_out)
        (?:full_of|so_many|too_many|many|lots_of)_(?:bugs|errors|mistakes|holes|defects)
        (?:mouldy|moldy|rotten|spoiled|stale|tasteless|soggy|dry|corked|burnt|burned|overcooked|undercooked|raw_inside|sour_milk|expired|off_milk)_?
        (?:bad|poor|terrible|awful|low|cheap|horrible|worst|lousy|poorest|disappointing|inferior|declining|mediocre)_(?:quality|workmanship|material|materials|plastic|plastik|build|craftsmanship|construction|finish)
        (?:quality|workmanship)_~3(?:bad|poor|terrible|awful|low|worse|down|declined|dropped|suffers?|suffered|horrible|disappointing|gone)
        (?:cheap|cheaply|badly|poorly)_(?:made|built|plastik|plastic|sewn|glued|constructed|finished|designed|printed)
        dead_on_arrival
        (?:arrived|came|was|were|is|are|box|item)_~2(?:damaged|crushed|dented|in_pieces|cracked|torn|shattered)
        (?:came|arrived)_with_a_(?:crack|hole|scratch|dent|stain|tear)
        (?:has|have|had|with|got)_a_(?:hole|crack|tear|dent|scratch|stain|leak)
        (?:missing|lost)_(?:a_|one_|some_|the_|two_)?(?:screws?|parts?|pieces?|pages?|buttons?|legs?)
        (?:screws?|parts?|pieces?|pages?|buttons?|legs?|cable|manual)_~5(?:was|were|is|are)?_?missing
        (?:wrong|different)_(?:size|colou?r|shade|item|product|model|trees)
        (?:connection|signal|internet|wifi|line|call)_(?:drops|keeps_dropping|dropping|cuts)
        (?:sound|picture|image|screen|audio|video|signal)_~2(?:terrible|blurry|bad|awful|poor|fuzzy|cuts)
        (?:lose|lost|deletes|deleted|erased)_~2(?:everything|my_work|my_data|my_files|all_my)
        save_file_is_gone
        (?:melted|shrunk|shrank|bleeds)
        smells?_(?:weird|awful|bad|strange|terrible|funny|like_(?:chemicals|plastic|glue|mould))
        (?:died|dead)_(?:after|within|in|on_day|already)
        half_of_(?:them|it|the_\\w+)_~1(?:are|is|was|were)_~1(?:dead|broken|mouldy|missing|damaged|rotten|bad)
        lasted_~2(?:day|days|week|weeks|month|months|hour|hours)
        (?:could|should)_~1be_(?:sturdier|stronger|thicker|tougher|better_made|more_durable|sharper)
        something_better
        (?:update|version)_~3(?:breaks|broke|worse|ruined)
        breaks_(?:something|after|when|every|all)
        shuts_down
        (?:bell|wheel)_works_~3nothing_else
        i_hate_this_app
        """,
    SERVICE: """
        (?:bad|poor|terrible|awful|horrible|worst|lousy|useless|rude|unhelpful|slow|disappointing|non_existent|appalling|shocking|dreadful|pathetic|incompetent|unfriendly|impolite|dismissive|arrogant)_~1(?:customer_)?(?:service|support|staff|hotline|helpdesk|help_desk|help_line|team|agents?|representative|waiter|employees?|chatbot|customer_care)
        <staff>_~4(?:bad|poor|terrible|awful|horrible|worst|lousy|useless|rude|unhelpful|slow|disappointing|appalling|incompetent|unfriendly|impolite|dismissive|arrogant|a_joke|clueless|ignored|ignores|ignore|yelled|shouted|hung_up|hard_to|refused|refuses|friendlier|forever|careless|laughed)
        (?:rude|unhelpful|impolite|unfriendly|dismissive)_(?:to|and|when|too|staff|with|on)
        (?:getting|get|reaching|reach)_~1(?:hold_of|through_to)_~1(?:support|anyone|anybody|somebody|someone|service|you)_~2(?:hard|impossible|takes|is)
        hung_up_on
        hangs?_up
        (?:on_hold|in_the_queue|on_the_hotline|in_a_queue)
        (?:hour|minutes)_on_hold
        (?:call|line)_(?:dropped|was_cut)
        copy_paste
        (?:canned|scripted|automated|generic)_(?:answers?|replies|responses?|reply|response)
        (?:passed|transferred|sent|pushed|bounced|transferring|passing|sending)_(?:me_)?(?:from_one|around|to_someone_else|to_another|back_and_forth|in_circles)
        from_one_(?:department|agent|person)_to
        (?:goes|going|talking|went|sent)_~2in_circles
        (?:talk|speak)_to_a_(?:human|real_person)
        talking_to_a_wall
        (?:ignored|ignore|ignoring|ignores)_(?:my|me|us|our|all)
        (?:refused|refuse|refuses)_to_(?:refund|help|exchange|replace|take|answer|listen|give)
        closed_my_ticket
        (?:tells|told|says|said)_me_something_(?:different|else)
        <wish>_~4(?:support|service|hotline|live_chat|chat|helpline)_~4(?:open|faster|better|friendlier|easier|was|were|quicker)
        (?:support|service|hotline|help_desk|chat)_(?:could|should|needs?_to|must)_be
        live_chat_would
        would_help_if_~3(?:hotline|support|service|chat)
        (?:takes|took|taking)_~1(?:support|customer_service|service|you|them)_~4(?:days|weeks|forever|ages|long|months)
        (?:support|customer_service|service|help_desk)_(?:takes|took|needs)_~3(?:forever|ages|days|weeks|long)
        <staff>_~3had_~1no_idea
        could_care_less
        answer_my_(?:messages?|emails?|calls?|questions?|ticket)
        (?:does|is)_(?:any_?body|any_?one)_(?:ever_)?(?:read|reads|there|answer|listen|in_your)
        is_there_(?:anyone|anybody|any_?one)
        thanks_for_nothing
        for_nothing
        take_your_time
        """,
    FRUSTRATED: """
        (?:frustrated|frustrating|frustration|frustrates)
        (?:furious|livid|enraged|outraged|fuming|seething|exasperated|infuriating|infuriated|maddening|outrageous|disgusted|disgusting_(?:service|behaviou?r|treatment)|exhausted|desperate)
        (?:so|really|very|extremely|absolutely|truly|beyond|am|getting|quite|pretty|super|am_so|annoyed_and)_(?:angry|annoyed|mad|pissed|upset|irritated)
        (?:so|really|very|super|extremely|how)_annoying
        (?:and|am)_angry
        unacceptable
        (?:fed|had_it)_up
        (?:completely|totally|absolutely|am_so|so)_fed_up
        fed_up
        (?:sick|tired)_(?:and_tired_)?of_(?:this|your|it|repeating|waiting|chasing|calling|being|you|having|all|explaining)
        had_(?:enough|it_with)
        enough_is_enough
        (?:last|final)_straw
        (?:lost|losing|run_out_of|running_out_of|out_of|end_of)_~2(?:patience|my_mind|my_temper|rope|tether|faith|my_nerves)
        (?:at_)?(?:wit|wits)_?'?_?end
        (?:i_am|am|we_are|so)_(?:so_)?done(?:_with_(?:this|you|your|them|it))?
        (?:taking|take)_(?:my|our)_(?:business|money|custom)_elsewhere
        (?:i|we)_(?:am_|are_)?(?:leaving|quitting|leave|quit)_(?:you|this|for|now|today)?
        (?:cancel|close|delete)_~1(?:my|our|everything|this|the)_?~2(?:immediately|now|today|at_once|account|everything)
        cancel_everything
        i_give_up
        (?:ridiculous|unbelievable|absurd|shameful|disgraceful|pathetic|scandalous|a_disgrace|a_shambles|shambles)
        (?:complete|total|absolute|utter|a|such_a|what_a)_(?:nightmare|disaster|shambles|joke_of|disgrace|farce|mess|catastrophe|fiasco)
        what_a_joke
        waste_of_(?:time|money|my_time|space)
        (?:want|demand|give_me|need|get)_~2my_money_back
        (?:speak|talk)_(?:to|with)_(?:a|the|your)_(?:manager|supervisor|boss)
        (?:drives|driving|makes|making|drove)_(?:me|us)_(?:crazy|mad|insane|nuts|up_the_wall|so_angry|furious|cry)
        made_me_cry
        are_you_(?:kidding|serious|joking)
        (?:is_this|this_must_be)_a_joke
        how_(?:many_times|hard_can|often_do_i|much_longer|long_do_i)
        (?:third|fourth|fifth|sixth|second|\\d+th|tenth|hundredth|umpteenth)_time_(?:i|we|this|you|in|now|that|already)
        (?:the|is_the|for_the)_(?:third|fourth|fifth|sixth|umpteenth|hundredth|tenth)_time
        again_(?:\\?|!|🤬|😡|😤|seriously)
        seriously_(?:,_)?again
        every_time_i_(?:call|write|ask|try)_~2(?:have|start|get|must)
        lost_me_as
        (?:worst|most_terrible)_(?:experience|company|customer_service|service|shop|store|purchase)_~1(?:ever|of_my_life|in_my_life)
        last_time_(?:i|we)_(?:order|buy|shop|book|come|use)
        (?:beyond|bitterly|deeply|extremely)_(?:disappointed|annoyed|angry|upset)
        i_hate_(?:this|your|these|the|that|it)
        (?:never|won't_ever)_again
        (?:🤬|😡|😤|👿|💢)
        """,
}
"""By tag, the rules that a negation undoes."""

AS_IT_IS = {
    LOYALTY: """
        (?:can|could)_not_(?:live|imagine|do|be|go_a_\\w+|run)_~4without
        would_not_(?:trade|swap|exchange|give|dream_of|want_to_(?:work|live|be)_without|go_anywhere|buy_~3anywhere|shop_~3anywhere|switch)
        (?:will|would|do|does|could|can)_not_(?:buy|shop|order|go|book|get|look|use)_~5(?:anywhere|elsewhere|any_other|anyone_else|anybody_else)
        (?:never|not_once|not)_(?:thought_(?:about|of)|considered|think_about|going|plan_to|looked)_~1(?:switching|leaving|changing|back_to_the_others|elsewhere|going_elsewhere)
        no_(?:plans?|reason|intention)_to_(?:leave|switch|change|go)
        can_not_(?:get_enough|recommend_~4enough|praise_~4enough|stop_(?:buying|recommending|ordering))
        (?:nothing|nobody|no_one|none)_(?:compares?|beats?|comes_close)_~2(?:you|your|this|them)
        if_it_is_not_from_(?:you|them)
        not_(?:only_)?because_you_have_to
        """,
    TRUST: """
        (?:never|not_once|not_ever|does_not|do_not|did_not|have_not|has_not)_(?:let_(?:me|us)_down|disappoint(?:s|ed)?|fail(?:s|ed)?_(?:me|us)|failed)
        never_(?:had|have)_(?:a|any)_(?:problem|issue|trouble)_~3(?:that_was_not|with|they_could_not)
        (?:without|no)_(?:any_|a_)?(?:hassle|fuss|questions_asked|trouble|drama|questions)
        not_made_a_(?:single_)?mistake
        """,
    DELIVERY: """
        (?:has|have|had|did|is|was|were|does|do)_(?:still_)?not_(?:yet_|even_|been_)?(?:arrived?|come|shipped|delivered|turned_up|showed_up|show_up|turn_up|shipping|left_the_warehouse|been_delivered|get_here|here_yet|here_after|here)
        still_~1not_~1(?:arrived|come|here|shipped|delivered|received|got)
        (?:never|not|nor)_(?:arrived|came|showed_up|turned_up|delivered|shipped|received|got_(?:it|my|the|here))
        (?:never|not|not_yet|still_not)_(?:receive|received|get|got|seen)_~1(?:my|the|our|any)_~1(?:order|parcel|package|delivery|item|items|refund_parcel|shipment|goods)
        <delivery>_~3not_~1(?:on_time|punctual|as_promised|fast|quick|reliable)
        that_never_came
        tracking_~2(?:has|is|does|did)_not_~1(?:moved?|updated?|updating|working?|changed?)
        """,
    PRICE: """
        not_(?:really_)?worth_(?:the_money|the_price|it|what_i|what_you|that_much|\\d+|even|a_cent)
        not_paying_(?:\\d+|that|so|for)
        (?:can|could)_not_(?:afford|justify_~1(?:price|cost))
        not_(?:exactly_)?(?:cheap|affordable)_(?:for|at_all|either)
        """,
    QUALITY: """
        (?:does|do|did|will|is|has|would)_not_(?:even_)?(?:work|working|worked|turn_on|start|charge|open|close|load|function|last|hold|fit_at_all|switch_on|connect)
        not_(?:work|working)_(?:any_?more|at_all|properly|anymore)
        not_as_(?:good|sturdy|soft|thick|fresh|described|pictured|advertised)_~2(?:used|before|picture|pictures|described|advertised|expected|as)?
        (?:looks?|is)_nothing_like
        not_(?:last|lasted)
        nothing_(?:ever_)?works
        (?:it|that)_does_not_fit_at_all
        """,
    SERVICE: """
        (?:nobody|no_one|noone|none)_~5(?:answer|answers|answered|replies|replied|reply|called|calls|picks_up|responds|responded|helps|helped|help|cares|care|could_answer|listens|listened|told|tells|got_back|told_us|told_me|able_to)
        (?:no|not_a|not_one|never_a|never_got_an?|not_get_an?|without_a|not_received_an?|got_no)_(?:single_)?(?:reply|response|answer|respons|call_back|callback|reaction|email_back|word_from)
        (?:not|never)_(?:heard_back|hear_back|replied|reply|answered|answer|responded|respond|called_back|called_me_back|call_back|get_back_to|got_back_to|get_an_answer|get_a_reply|heard_from)
        not_(?:very_|really_|at_all_|even_)?(?:helpful|friendly|polite|responsive|interested_in_helping)
        (?:does|do|did|could|will|would)_not_(?:help|listen|seem_to_care|care|care_less|understand_my|take_back|even_try|bother)
        could_not_(?:care_less|answer_(?:a|my|the)|help_me)
        without_(?:fixing|solving|helping|answering|reading)_~1(?:anything|it|my|me)?
        promised_to_call_~3(?:never|not)
        (?:no|zero|any)_(?:help|support)_(?:from|at_all|whatsoever)
        """,
    FRUSTRATED: """
        never_again
        never_(?:buying|ordering|shopping|coming|using|going)_~3again
        (?:will|would)_not_be_(?:back|coming_back|returning)
        (?:can|could)_not_(?:take|stand|bear|believe|deal_with)_(?:it|this|any)_?~1(?:any_?more|longer)?
        nothing_(?:ever_)?works
        not_(?:taking|putting_up)_~1(?:this|it)
        no_(?:more_)?patience_(?:left|any)
        """,
}
"""By tag, the rules that say a negation themselves."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one tag: two patterns in one, the second for what says its negation itself (or None)."""

    tag: str
    plain: Pattern[str]
    as_it_is: Pattern[str] | None


def _compiled(rules: str) -> Pattern[str]:
    alternatives = [_spelt_out(line.strip()) for line in rules.strip().splitlines() if line.strip()]
    return re.compile(rf"(?<= )(?:{'|'.join(alternatives)})(?= )")


def _spelt_out(rule: str) -> str:
    rule = re.sub(r"~(\d)_?", lambda found: rf"(?:[\w']+_){{0,{found[1]}}}", rule)
    rule = re.sub(r"<(\w+)>", lambda found: f"(?:{LISTS[found[1]]})", rule)
    return rule.replace("_", " ")


RULES = tuple(
    Rules(tag, _compiled(plain), _compiled(AS_IT_IS[tag]) if tag in AS_IT_IS else None)
    for tag, plain in PLAIN.items()
)
"""All of them, compiled."""
