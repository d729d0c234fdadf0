"""Tells English from other languages, so that words of these are not taken for English ones.

By function words, which make up half of any text (Grefenstette, "Comparing two language identification schemes",
JADT 1995): more precise on one short sentence than models of letters, and a text without any is too short to tell.
"""

_ENGLISH = """
    a about after again all also am an and any are as at be because been before being but by can could did do does each
    ever every for from get go got had has have he her here him his how i if in is it its just me more most my never no
    not now of off on one only or other our out over she should so some still such than that the their them then there
    these they this those to too up us very was we were what when where which who why will with would you your
    """
ENGLISH = frozenset(_ENGLISH.split())
"""Function words of English."""

_OTHERS = {
    "de": """aber alle als am auf aus bei bin bis das dass dem den der des die dies diese doch ein eine einem einen
        einer es für gar habe haben hat ich ihr im immer ist ja kein keine leider mein meine mich mir mit nach nicht
        nie nur oder schon sehr sein sich sie sind über und uns von vom vor war waren wenn wie wieder wir wird zu zum
        zur""",
    "fr": """au aux avec bien ce ces cette c'est dans de des du elle en est et été fait il ils j'ai j'adore je jamais
        la le les leur lui ma mais me mes moi mon ne nous on ou par pas personne plus pour que qui rien sa sans se ses
        si son sont suis sur très trop tout tous toujours un une vos votre vous""",
    "es": """al algo como con cuando de del desde dos el ella en era es esta está este esto fue ha hay he la las le lo
        los más me mejor mi muy nada nadie ni nos nunca o para pero por que qué se ser siempre sin sobre son su sus
        también te tiene todo todos un una uno y ya yo""",
    "it": """al alla anche che chi ci come con da dal dei del della di e è ero gli ha hanno ho i il in io la le lo loro
        ma mai mi molto nel nella nessuno non per perché più poi quando questa questo sempre si sono sul tra troppo
        tutti tutto un una uno va""",
    "nl": """aan al alle altijd als ben bij dat de deze die dit door een en er geen had heb hebben heeft het hij ik in
        is je kan maar me meer met mij mijn naar niemand niet nog nooit om onze ook op over te tot uit van veel voor
        was wat we weer wel wij worden zeer zijn zo""",
    "pt": """à ao aos aqui as com como da das de dele do dos e é ela ele em era esta está este eu foi há isso já lhe
        mais mas me meu minha muito na não nas nem ninguém no nos nós nunca o os ou para pela pelo por que quando se
        sem sempre ser seu só sua também tem tudo um uma""",
    "pl": """a ale bardzo być był była co czy dla do go i ich ja jak jest jestem już ma mi mnie na nie nigdy o od po
        przez przy się są tak tego ten to tu w wszystko wszystkim z za że""",
    "sv": """aldrig alla alldeles allt att av bara bra de den det du eller en ett för från går ha han har här i igen
        ingen inte jag kan kom med men mer mig mycket när någon något och om på sig så som till tyvärr under upp ut
        var vi vid är även""",
    "da": """af aldrig alt at blev da den der det dette du efter ej eller en er et for fra ham han har havde i igen
        ikke jeg kan kun lidt man med meget men mig min mit noget nu når og også om op os på så som til ud var ved vi
        være""",
    "ro": """a acest al am ar ca care ce cu cum da de din după este eu foarte în la mai mi mult nici nimic nu o pe
        pentru prea sa să se sunt și un una""",
    "id": """ada adalah aku dan dari dengan di ini itu juga kami karena ke lebih lama pada saya sangat sekali sudah
        tapi tidak untuk yang""",
    "fi": """ei en että hän hyvin ja jo joka kun liian minä mutta myös ne niin nyt oli olen on ovat se sen tämä vain
        vielä""",
    "cs": """a ale ani bez bylo by byl jako je jen jsem jsme k který má mi na není nikdy o od po pro při s se si tak
        také to už v ve velmi za že""",
    "tr": """ama bana ben bir bu çok da daha de değil en geç gibi hiç için ile iyi kadar ki mi ne o olarak sonra şu ve
        veya ya yok""",
}
_FOREIGN = tuple((frozenset(words.split()) - ENGLISH, frozenset(words.split())) for words in _OTHERS.values())


def is_english(words: list[str]) -> bool:
    """Whether a text with these words (lower case) can be read as English; one of numbers and emoji alone can."""
    letters = [word for word in words if word[0].isalpha()]
    if any(not letter.isascii() and _is_foreign(letter) for word in letters for letter in word):
        return False
    known = sum(1 for word in letters if word in ENGLISH)
    for telling, all_words in _FOREIGN:
        if any(word in telling for word in letters):
            found = sum(1 for word in letters if word in all_words)
            if found > known or (found == known and found * 3 > len(letters)):
                return False
    return True


def _is_foreign(letter: str) -> bool:
    """Letters of other scripts. Latin ones with accents stand in English names too."""
    return ord(letter) > 0x24F and letter.isalpha()
