//! Refusals in Arabic. Nobody reads them on a command line: fields have the names of the pages.

use std::borrow::Cow;

use super::field::field;
use super::{About, Form, Refusal, Why};
use crate::text::plural::Plural;
use crate::text::{Lang, Sentence, isolated};

const CHARACTERS: Plural = Plural::ar(["حرف واحد", "حرفين", "{} أحرف", "{} حرفًا", "{} حرف"]);

pub(super) fn sentence(refusal: &Refusal) -> Sentence {
    let Refusal { about, value, why } = refusal;
    let subject = subject(about);
    let what = match (value, found(why)) {
        (_, Some(found)) => format!("{subject}: {found}"),
        (Some(value), None) => format!("{subject}: القيمة {} لا تصلح", isolated(value)),
        (None, None) => format!("{subject}: غير ممكن"),
    };
    Sentence { what, next_step: next_step(why).into_owned() }
}

fn subject(about: &About) -> String {
    match about {
        About::Key(key) => field(Lang::Ar, key).into_owned(),
        About::Line(number, key) => format!("السطر {number}، {}", field(Lang::Ar, key)),
        About::Text(number) => format!("السطر {number}"),
        About::Merchant(slug) => format!("التاجر {}", isolated(slug)),
        About::Order(name) => format!("الطلب {}", isolated(name)),
        About::Delivery(id) => format!("الإشعار {id}"),
        About::Secret => "السرّ".to_owned(),
    }
}

/// What it is, where the value does not say it.
fn found(why: &Why) -> Option<String> {
    let found = match why {
        Why::Missing(_) => "ناقص",
        Why::UnknownKey(_) => "غير معروف",
        Why::LaterKey(_) | Why::KeyAlone => "مكتوب",
        Why::Json(_) => "ليس \u{2066}JSON\u{2069} صحيحًا",
        Why::Toml(_) => "ليس \u{2066}TOML\u{2069} صحيحًا",
        Why::MerchantClosed => "مغلق",
        Why::MerchantPurged => "أُزيل",
        Why::TaxTwice(_) => "مكررة",
        Why::SecretsMany(count) | Why::OrdersMany(count, _) => return Some(format!("عددها {count}")),
        Why::NoAccount => "بلا حساب في دفترة",
        Why::NoShopApi => "غير مربوط بواجهة \u{2066}API\u{2069} لمتجره",
        Why::CutOverFirst => "لم يُبحث له عن مستندات غيرنا",
        Why::CutOverOpen(_) => "غير جاهز للتشغيل الفعلي",
        Why::SecretEmpty => "فارغ",
        Why::TokenShort(_) => "قصير",
        Why::SecretShared(_) | Why::SecretTaken(_) => "ليس لهذا المتجر وحده",
        Why::PasswordLength(length, _, _) | Why::NoteLength(length, _) => {
            return Some(format!("عدد الأحرف {length}"));
        }
        Why::NotDismissed(state) | Why::NotImported(state) | Why::NothingGone(state) | Why::NothingChanged(state) => {
            Lang::Ar.words().order_state(*state)
        }
        Why::NothingToTakeIn => "لا يخص أي طلب",
        Why::NoOrdersNamed => "لم يُذكر أي طلب",
        Why::BodyUnreadable(path, problem) => {
            return Some(format!("لا يُقرأ عند {} ({})", isolated(path), isolated(problem)));
        }
        Why::BodyPurged => "لم يعد نصه محفوظًا",
        Why::BodySealed => "مختوم بمفتاح آخر",
        Why::Form(_)
        | Why::Type(_)
        | Why::SlugTaken
        | Why::SlugReserved
        | Why::NoMerchant
        | Why::LiveFromAlone
        | Why::SharedShop(_)
        | Why::VendorOwned(_)
        | Why::ShopOwned(_)
        | Why::AllVendorsAlone
        | Why::ExceptionsAlone
        | Why::VendorNameless
        | Why::PrefixForm
        | Why::Blanks
        | Why::PaidDraft
        | Why::PaidZero
        | Why::RecordFirst
        | Why::MethodWantsMail
        | Why::GatewayTwice
        | Why::UserForm
        | Why::UserTaken
        | Why::NoUser
        | Why::UserDisabled
        | Why::LastOwner
        | Why::OwnerLimited
        | Why::Language
        | Why::TokenName(_)
        | Why::TokenTaken
        | Why::TokensMany(_)
        | Why::TokenRole(_)
        | Why::TokenDays(_)
        | Why::NoToken
        | Why::MailForm
        | Why::RecipientTaken
        | Why::RecipientsMany(_)
        | Why::NoRecipient
        | Why::UnknownPlace
        | Why::NoMail
        | Why::CodeTwice
        | Why::CodeForm
        | Why::ProductForm
        | Why::NoOrder
        | Why::OrderAmbiguous
        | Why::OrderInvoiced
        | Why::OrderEmpty
        | Why::InvoiceTaken(_)
        | Why::InvoiceNames(_)
        | Why::InvoiceForm
        | Why::LineTwice
        | Why::NoNamesake
        | Why::NoCause
        | Why::NoDelivery
        | Why::NoRequest
        | Why::RequestEnded => return None,
    };
    Some(found.to_owned())
}

fn next_step(why: &Why) -> Cow<'static, str> {
    match why {
        Why::Form(form) | Why::Missing(Some(form)) => form_of(*form).into(),
        Why::Missing(None) => "أضفه".into(),
        Why::UnknownKey(known) => format!("لا يوجد مفتاح بهذا الاسم: {}", isolated(known)).into(),
        Why::LaterKey(Some(allowed)) => format!("ليس في هذا الإصدار: احذفه أو اكتب {}", isolated(allowed)).into(),
        Why::LaterKey(None) => "ليس في هذا الإصدار: احذفه".into(),
        Why::Type(complaint) | Why::Json(complaint) | Why::Toml(complaint) => {
            format!("صحّحه: {}", isolated(complaint)).into()
        }

        Why::SlugTaken => "هذا الاسم مستخدم: اختر غيره، أو غيّر التاجر الذي يحمله".into(),
        Why::SlugReserved => "هذا اسم صفحة التاجر الجديد: اختر غيره".into(),
        Why::NoMerchant => "لا يوجد تاجر بهذا الاسم: اختر من قائمة التجار".into(),
        Why::MerchantClosed => "التاجر المغلق لا يتغير: افتحه من جديد أولًا".into(),
        Why::MerchantPurged => "أُزيل كل ما كان لهذا التاجر: أضف تاجرًا جديدًا باسم آخر في العنوان".into(),
        Why::LiveFromAlone => "لا يُسجَّل شيء في هذا الوضع: اختر التشغيل الفعلي معه، أو اتركه فارغًا".into(),
        Why::SharedShop(other) => {
            format!("التاجر {} يبيع في المتجر نفسه: اكتب مورّدي هذا التاجر", isolated(other)).into()
        }
        Why::VendorOwned(other) => format!("هذا المورّد للتاجر {}: خذه منه هناك أولًا", isolated(other)).into(),
        Why::ShopOwned(other) => format!("للتاجر {} كل بنود هذا المتجر: اكتب مورّديه هناك أولًا", isolated(other)).into(),
        Why::AllVendorsAlone => "العلامة \u{2066}*\u{2069} تعني الكل: اكتبها وحدها أو احذفها".into(),
        Why::ExceptionsAlone => "الاستثناء يكون من كل البنود فقط: اتركه فارغًا".into(),
        Why::VendorNameless => "لا يملك أحد مورّدًا بلا اسم: احذف الاسم الفارغ".into(),
        Why::PrefixForm => "اكتب بادئات غير فارغة وبلا مسافات حولها".into(),
        Why::Blanks => "اكتبه بلا مسافات حوله".into(),
        Why::TaxTwice(first) => format!("السطر {} يذكر الضريبة نفسها: أبقِ واحدًا منهما", first + 1).into(),

        Why::KeyAlone => "اكتب عنوان دفترة الذي يخصه المفتاح".into(),
        Why::SecretsMany(_) => "يكفي السرّ الحالي والسابق".into(),
        Why::NoAccount => "اكتب حساب دفترة أولًا: صفحة التاجر عن دفترة".into(),
        Why::NoShopApi => "اربطه أولًا: \u{2066}qantara merchant api\u{2069}، أو صفحة التاجر عن \u{2066}API\u{2069}".into(),
        Why::OrdersMany(_, most) => format!("{most} على الأكثر في المرة الواحدة: قسّمها").into(),
        Why::SecretEmpty => "اكتبه، أو اترك حقله كما هو".into(),
        Why::SecretShared(other) => format!(
            "لدى التاجر {} في متجر آخر السرّ نفسه، فلا يمكن التمييز بين الإشعارات: أعط كل متجر تطبيقًا خاصًا به",
            isolated(other)
        )
        .into(),

        Why::SecretTaken(other) => format!(
            "صار للتاجر {} في متجر آخر السرّ نفسه، فلا يمكن التمييز بين الإشعارات: اكتب سرًّا جديدًا لهذا المتجر عند فتحه من جديد",
            isolated(other)
        )
        .into(),

        Why::PaidDraft => "لا تُدفع المسودات: اجعل الفواتير تُصدر، أو لا تسجّل المدفوعات".into(),
        Why::PaidZero => "لا تُسجَّل مدفوعات على مستندات بلا أسعار: اختر الأسعار، أو لا تسجّل المدفوعات".into(),
        Why::RecordFirst => "يتطلب ذلك تسجيل المدفوعات: فعّله، أو اترك هذا".into(),
        Why::MethodWantsMail => "تطلب دفترة بريد المشتري مع هذه الطريقة: أضف في دفترة طريقة خاصة بك واخترها".into(),
        Why::GatewayTwice => "مكتوبة مرتين: أبقِ واحدة منهما".into(),

        Why::UserForm => "اكتب من 1 إلى 64 حرفًا بلا نقطتين وبلا مسافات حولها".into(),
        Why::UserTaken => "هذا الاسم مستخدم: اختر غيره، أو غيّر كلمة مرور صاحبه".into(),
        Why::NoUser => "لا يوجد مستخدم بهذا الاسم: اختر من قائمة المستخدمين".into(),
        Why::UserDisabled => "المستخدم موقوف، فلا يُنشأ له رمز: فعّله أولًا".into(),
        Why::PasswordLength(_, shortest, longest) => {
            format!("اختر كلمة من {shortest} إلى {}", CHARACTERS.of(*longest)).into()
        }
        Why::LastOwner => "هذا آخر مالك، ولا بد من شخص يستطيع كل شيء: عيّن مالكًا آخر أولًا".into(),
        Why::OwnerLimited => "المالك يرى كل التجار: اختر دورًا آخر، أو كل التجار".into(),
        Why::Language => "اختر العربية أو الإنجليزية، أو اتركها للمتصفح".into(),

        Why::TokenName(longest) => format!("اكتب فيمَ يُستخدم الرمز، من 1 إلى {}", CHARACTERS.of(*longest)).into(),
        Why::TokenTaken => "يوجد رمز بهذا الاسم: ألغه أولًا أو اختر اسمًا آخر".into(),
        Why::TokensMany(most) => format!("ألغِ واحدًا منها: {most} على الأكثر").into(),
        Why::TokenRole(role) => {
            format!("اختر «{}» أو أقل: لا يفعل الرمز أكثر مما يفعله صاحبه", Lang::Ar.words().role(*role)).into()
        }
        Why::TokenDays(longest) => format!("اكتب عددًا من 1 إلى {longest}").into(),
        Why::TokenShort(shortest) => format!("أرسل {} أو أكثر، عشوائية", CHARACTERS.of(*shortest)).into(),
        Why::NoToken => "لا يوجد رمز بهذا الرقم: صفحة حسابك تعرضها".into(),

        Why::MailForm => "اكتب عنوان بريد واحدًا، مثل \u{2066}orders@example.com\u{2069}".into(),
        Why::RecipientTaken => "يحصل على الرسائل بهذه اللغة بالفعل: غيّر ما تدور حوله".into(),
        Why::RecipientsMany(most) => format!("أزل أحدهم: {most} على الأكثر").into(),
        Why::NoRecipient => "لا أحد بهذا الرقم يحصل على رسائل: صفحة رسائل التاجر تعرضهم".into(),
        Why::UnknownPlace => "اكتب \u{2066}{order}\u{2069} أو \u{2066}{invoice}\u{2069} أو \u{2066}{total}\u{2069} أو \u{2066}{merchant}\u{2069}، أو بلا أقواس".into(),
        Why::NoMail => "لا شيء يُرسل: الرسالة في طريقها، أو لم يعد نصها محفوظًا".into(),

        Why::NoteLength(_, longest) => format!("اكتب من 1 إلى {}", CHARACTERS.of(*longest)).into(),
        Why::CodeTwice => "الرمز مكتوب مرتين: أبقِ السطر الصحيح".into(),
        Why::CodeForm => "اكتب رمز SKU أو باركود أو رقم الصنف في المتجر".into(),
        Why::ProductForm => "اكتب رقم المنتج في دفترة، وهو عدد موجب".into(),

        Why::NoOrder => "لا يوجد طلب بهذا الرقم: ابحث عنه في سجل المزامنة".into(),
        Why::CutOverFirst => {
            "ربما سجّل غيرنا فواتير طلباته في آخر ثلاثين يومًا: ابحث عنها أولًا في صفحة التشغيل الفعلي لهذا التاجر".into()
        }
        Why::CutOverOpen(waiting) => format!(
            "في دفترة مستندات تذكر طلباته وليست لنا، عددها {waiting}: تبنَّ كلًّا منها أو اصرف النظر عنه في صفحة التشغيل الفعلي"
        )
        .into(),
        Why::OrderAmbiguous => "لأكثر من طلب هذا الاسم: اكتب رقم الطلب في شوبيفاي".into(),
        Why::OrderInvoiced => "للطلب فاتورة منا: احذف السطر".into(),
        Why::InvoiceTaken(other) => format!("هذه فاتورة الطلب {}: ابحث عن الفاتورة الصحيحة في دفترة", isolated(other)).into(),
        Why::InvoiceNames(other) => format!(
            "هذه الفاتورة تذكر الطلب {}: تبنَّها له، وإن لم تكن له فاصرف النظر عنها أولًا ثم أعد كتابة السطر",
            isolated(other)
        )
        .into(),
        Why::OrderEmpty => "لم نعد نحتفظ ببيانات هذا الطلب من المتجر، فلا شيء نقارن به: احذف السطر".into(),
        Why::InvoiceForm => "اكتب رقم الفاتورة الداخلي في دفترة، وهو عدد موجب يظهر في عنوان صفحتها".into(),
        Why::LineTwice => "مكتوب في سطرين: أبقِ السطر الصحيح".into(),
        Why::NoNamesake => "لا ينتظر مستند كهذا قرارًا: ابحث من جديد، فربما تقرر أمره".into(),
        Why::NoCause => "لا طلب معلّق لهذا السبب الآن: انظر صفحة ما يحتاج إلى شخص".into(),
        Why::NotDismissed(_) => "لا يُصرف النظر إلا عن طلب معلّق أو فاشل: صفحة الطلب تذكر ما ينتظره".into(),
        Why::NotImported(_) => "لا يُستورد إلا طلب تتركه قواعد التاجر: صفحة الطلب تذكر السبب".into(),
        Why::NothingGone(_) => "لم تُحذف أي فاتورة له في دفترة، فلا شيء يُقرَّر".into(),
        Why::NothingChanged(_) => "لا يُعرف عن أي فاتورة له أنها تغيّرت يدويًا، فلا شيء يُكتب مجددًا".into(),

        Why::NoDelivery => "لا يوجد إشعار بهذا الرقم: ربما انتهت مدة حفظه".into(),
        Why::NothingToTakeIn => "لا شيء فيه يُقرأ من جديد".into(),
        Why::NoRequest => "لا يوجد طلب بهذا الرقم".into(),
        Why::RequestEnded => "هذا الطلب لا ينتظر ذلك: راجع نوعه وحالته".into(),
        Why::NoOrdersNamed => "سمِّ طلب شراء واحدًا على الأقل برقمه في شوبيفاي".into(),
        Why::BodyUnreadable(..) => "ما زال مخالفًا لموضوعه: انظر الطلب في المتجر وأبلغ عنه".into(),
        Why::BodyPurged => "تُحفظ نصوص الإشعارات مدة محدودة: انظر الطلب في المتجر".into(),
        Why::BodySealed => "أعد المفتاح الرئيسي الذي خُتمت به قاعدة البيانات".into(),
    }
}

fn form_of(form: Form) -> &'static str {
    match form {
        Form::Slug => {
            "اكتب من 1 إلى 40 من \u{2066}a-z\u{2069} و\u{2066}0-9\u{2069} و\u{2066}-\u{2069}، مثل \u{2066}wadi-home\u{2069}"
        }
        Form::Name => "اكتب اسم التاجر كما يعرفه الناس، حتى 100 حرف",
        Form::TimeZone => "اختر منطقة زمنية، مثل \u{2066}Asia/Riyadh\u{2069}",
        Form::Mode => "اختر الظل أو التشغيل الفعلي أو الإيقاف المؤقت",
        Form::ShopSection | Form::ShopDomain => {
            "اكتب النطاق الدائم للمتجر، مثل \u{2066}wadi-home.myshopify.com\u{2069}"
        }
        Form::DaftraSection => "أضف حساب دفترة: العنوان والمستودع والعميل",
        Form::DaftraUrl => "اكتب العنوان بلا شرطة في آخره، مثل \u{2066}https://wadi.daftra.com\u{2069}",
        Form::LinesSection | Form::Vendors => "اكتب المورّدين الذين تخص بنودهم هذا التاجر، أو اختر كل البنود",
        Form::Separators => "اكتب رموزًا مفردة، مثل \u{2066}-\u{2069} و\u{2066}_\u{2069}",
        Form::Trigger => "اختر عند إنشائه أو عند دفعه أو عند شحنه",
        Form::Time => "اكتب تاريخًا ووقتًا",
        Form::Tolerance => "اكتب رقمًا صحيحًا من 0 إلى 100000",
        Form::Locked => "اختر سؤال شخص، أو فاتورة مرتجعة وفاتورة جديدة",
        Form::Shipping => "اختر متى يظهر الشحن في الفاتورة",
        Form::Price => "اختر ما يدفعه العميل، أو بلا أسعار",
        Form::Exchange => "اختر سؤال شخص، أو التسجيل",
        Form::Line => "اختر سؤال شخص، أو تركها، أو سطر نص حر",
        Form::Rate => "اكتب النسبة كسرًا عشريًا، مثل \u{2066}0.15\u{2069} لخمسة عشر بالمئة",
        Form::Included => "اختر هل الضريبة ضمن السعر أم فوقه",
        Form::Gateway => "اكتب طريقة الدفع كما يكتبها المتجر، مثل \u{2066}Cash on Delivery (COD)\u{2069}",
        Form::Method => "اختر طريقة الدفع كما تعرفها دفترة",
        Form::DaftraId => "اختره من القائمة المقروءة من دفترة",
    }
}
