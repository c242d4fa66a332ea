/**
 * Common given names of the languages of this expert, accents removed. Names that are more often a place, a month, a
 * colour or a brand (Paris, Jordan, April, Amber …) are left out: they would make people of categories.
 */
const GIVEN = `
aaron abdul abdullah abigail adam adrian adriana agnes agnieszka ahmad ahmed aisha alan albert alberto alejandra alejandro
alessandra alessandro alex alexander alexandra alexandre alexei alfred alfredo ali alice alicia alison alfonso allison amanda amelia
amelie amina amir amy ana anastasia anders andre andrea andreas andrei andres andrew andrzej angela angelica angelo anita anja
ann anna anne annette annie anthony antoine anton antonella antonia antonio arnold arthur artur arturo astrid audrey aurelie
ayesha barbara bartosz beata beatrice beatriz ben benedict benjamin bernard bernd bernardo bertrand beth bettina betty bianca bjorn
bob bogdan brandon brenda brian bruno camila camille carl carla carlos carmen carol carole caroline cassandra catarina catherine
cecilia cecile celia celine cesar chantal charles chiara chloe chris christian christiane christina christine christopher cindy claire clara
claude claudia claudio claus colin conrad cristian cristina cynthia damian daniel daniela daniele danielle danuta dario
david deborah deepak denis denise dennis diana diane diego dieter dimitri dirk dmitri dolores dominik dominique donald donna dorota dorothy
douglas edith eduardo edward edwin eileen elaine elena eleonora elias elisa elisabeth elizabeth ella ellen elsa elzbieta emanuel
emil emilia emilie emily emma emmanuel enrico enrique erica erich erik erika ernst esther etienne eugene eva evelyn ewa
fabian fabien fabio fabrice fatima federica federico felipe felix fernanda fernando filip filippo fiona florian frances francesca
francesco francis francisca francisco franck francois frank franz fred frederic frederik friedrich fritz gabriel gabriela gabriele gabrielle
gary genevieve geoffrey george georges gerald gerard gerhard gianluca gilbert gilles giorgia giorgio giovanna giovanni giulia giuseppe
gloria gonzalo grazyna gregor gregory grzegorz guido guillaume guillermo gunther gustav gustavo guy hanna hannah hans harald harold harry
hassan heather hector heidi heike heinz helen helena helene helga henri henrik henrique henry herbert hermann hiroshi holger horst
hugo hussein ian ibrahim ignacio igor ines ingrid irena irene isaac isabel isabella isabelle ivan jack jacek jacob jacqueline
jacques jaime jakob jakub james jamie jan jane janet janice janina janusz jaroslaw jason javier jean jeanne jeff jeffrey jennifer jens
jeremy jerome jerzy jesse jessica jesus jim jimmy joachim joan joana joanna joao joaquin joel johan johann johanna johannes john johnny jonas
jonathan jorg jorge jose josef joseph joshua juan juana judith juergen jurgen jules julia julian juliana julie julien juliette julio justin
kamil karen karin karina karl karolina katarina katarzyna kate katharina katherine kathleen kathryn katie katja kazimierz keith kelly
kenneth kenji kerstin kevin khaled kim klaus krystyna krzysztof kristin kristina kumar kurt kyle larissa larry lars laszlo laura laurence laurent
lea leila leo leon leonardo leonie leticia liam lidia lina linda lisa lorenzo louis louise luc luca lucas lucia luciana lucie lucy
ludwig luigi luis luisa luiz lukas lukasz lydia maciej magdalena malgorzata manfred manuel manuela marc marcel marcela marcelo marcin marco
marcos marcus margaret margarida margarita margot maria mariana marianne marie marina mario marion marisa marius mark markus marta martha martin
martina martine mary mateo mateusz mathieu mathilde matteo matthew matthias matthieu maurice mauricio max maxime maximilian megan mehmet
melanie melissa mercedes mia michael michal michel michele michelle miguel mika mike milan mirko miroslaw mohamed mohammad mohammed monica
monika monique muhammad mustafa nadia nadine nancy natalia natalie nathalie nathan neil nicholas nick nicola nicolas nicole niels nikolai nina noah
noemie nora norbert norma nuno olaf oleg olga oliver olivia olivier omar oscar oskar otto owen pablo pamela paola paolo pascal patricia patrick
patrik patryk paul paula paulina pauline paulo pawel pedro peggy penelope peter petra philip philipp philippe pierre pietro piotr priya
rachel rafael rafal rahul rainer raj ralf ralph ramon raphael raquel raul raymond rebecca regina reinhard renata rene ricardo riccardo richard rita
robert roberta roberto rodrigo roger roland rolf roman romain ronald rosa rosario rosemary roxane ruben rudolf ryan sabine sabrina
salvatore sam samantha samir samuel sandra sandrine sanjay sara sarah scott sean sebastian sebastien serge sergei sergio shannon sharon shirley
silke silvia simon simona simone slawomir sofia sonia sonja sophia sophie stanislaw stefan stefania stefano steffen stella stephan stephane stephanie
stephen steve steven sunil susan susana susanne suzanne svetlana sylvia sylvie sylwia tadeusz tamara tania tanja tatiana teresa
theo theodore theresa thiago thierry thomas thorsten tiago tim timothy tina tobias tom tomas tomasz tony torsten tracy ulrich ulrike
ursula ute valentina valeria valerie vanessa vera veronica veronique vicente victor viktor vincent vincenzo vitor vivian vladimir volker
walter wanda wayne wei werner wilhelm william wojciech wolfgang xavier yasmin yolanda yuki yvette yvonne zbigniew zofia zoe
felipa fatma hiro haruto sakura yusuf omer layla leila arjun ananya rohan vikram lucja kasia gosia
`;

/** Given names, lower case, without accents. */
export const givenNames: ReadonlySet<string> = new Set(GIVEN.trim().split(/\s+/));

/** Words that make a text the name of an organisation, a place or a product, lower case. */
export const organisationWords: ReadonlySet<string> = new Set(
  `inc ltd llc gmbh ag sa sas srl spa plc corp co company corporation university universidad universidade université universität
  college school institute institut hospital clinic bank group holding foundation association church center centre museum library
  airport airlines hotel restaurant city county district department ministry agency services solutions systems technologies
  street avenue road bridge lake river mountain island the and of for with in`
    .trim()
    .split(/\s+/),
);
